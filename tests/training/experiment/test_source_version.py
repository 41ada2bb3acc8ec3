"""A stage's code is its module and what that imports of ours."""

import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from training.experiment.paper import dice, variance
from training.experiment.source_version import source_files, source_version


def load(path: Path) -> Callable[..., object]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    run: Callable[..., object] = module.run
    return run


def test_it_reaches_what_is_imported_over_several_steps_and_no_further() -> None:
    names = set(source_files(dice.STAGE.run))
    assert {
        "training.experiment.paper.dice",
        "training.experiment.pictures",
        "training.evaluation",
        "eigenwarp.field.jacobian",
        "eigenwarp.model.decoder",
    } <= names
    assert not {name for name in names if name.startswith(("eigenwarp.stores", "numpy", "training.loop"))}
    assert "training.experiment.paper.grids" not in names


def test_it_changes_with_the_source_alone(tmp_path: Path) -> None:
    path = tmp_path / "a_stage_for_this_test.py"
    path.write_text("def run(workplace, progress):\n    return 1\n")
    run = load(path)
    before = source_version(run)
    assert before == source_version(run) == source_version(partial(run, 1))
    path.write_text("def run(workplace, progress):\n    return 2\n")
    assert source_version(run) != before


def test_two_stages_have_two_versions() -> None:
    assert source_version(dice.STAGE.run) != source_version(variance.STAGE.run)
