import json
from pathlib import Path

import pytest

from eigenwarp.errors import OptionInvalidError
from tests.training.cohorts import small_config
from training.config import TrainingConfig, load_config, presets


def toml(values: dict[str, object]) -> str:
    """Scalars, lists and one level of tables, whose JSON forms are TOML too."""
    top = [f"{name} = {json.dumps(value)}" for name, value in values.items() if not isinstance(value, dict)]
    for name, table in values.items():
        if isinstance(table, dict):
            top += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(top)


def test_a_configuration_written_as_toml_reads_back_equal(tmp_path: Path) -> None:
    config = small_config(seed=7, precision="bfloat16", loss={"folding": 0.25}, optimiser={"name": "adamw"})
    path = tmp_path / "run.toml"
    path.write_text(toml(config.to_dict()))
    assert load_config(str(path)) == config
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_what_a_file_leaves_out_has_its_default(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("[architecture]\nshape = [48, 64, 48]\n")
    config = load_config(str(path))
    assert config.optimiser.batch == 8
    assert config.architecture.latent_channels == 512


@pytest.mark.parametrize("name", presets())
def test_every_preset_loads(name: str) -> None:
    config = load_config(name)
    assert config.labels
    assert config.architecture.shape == config.preprocessing.shape
    if config.architecture.segmentation_classes:
        assert config.architecture.segmentation_classes == len(config.labels)
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_hippocampus_preset_is_there_and_explains_all_it_does() -> None:
    assert "hippocampus" in presets()
    assert load_config("hippocampus").architecture.skips == "none"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("stepz = 3", "stepz"),
        ("[optimiser]\nlearning = 3", "learning"),
        ("[architecture]\nlayers = 3", "layers"),
        ("[augmentation]\nshear = 3", "shear"),
        ("[loss]\nmind = 3", "mind"),
        ("[preprocessing]\nbias_field = 3", "bias_field"),
        ("[scheduler]\nsteps = 3", "scheduler"),
        ("optimiser = 3", "optimiser must be a table, got 3"),
        ('[optimiser]\nname = "sgd"', "sgd"),
        ('[optimiser]\nschedule = "step"', "step"),
        ("[optimiser]\nbatch = 6\ncycle = 4", "batch 6 .* cycle 4"),
        ("[optimiser]\nbatch = 4\ncycle = 1", "cycle 1"),
        ('[architecture]\nskips = "all"', "all"),
        ("[architecture]\nshape = [63, 64, 64]", "63"),
        ("[architecture]\nshape = [16, 16, 16]", r"\(16, 16, 16\) differs"),
        ("[loss]\nsegmentation = 0.5", "segmentation"),
        ('precision = "float16"', "float16"),
        ("evaluate_every = 0", "evaluate_every"),
        ("[optimiser]\nbatch = 0", "batch 0"),
        ("[optimiser]\nsteps = 0", "steps"),
        ("seed = ", r"run\.toml"),
    ],
)
def test_an_unknown_name_or_a_bad_value_is_refused_and_named(text: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    # The defaults' two grids differ; given alike unless the text is about them, they are no second fault.
    grid = "" if "[preprocessing]" in text or "[architecture]" in text else "\n[preprocessing]\nshape = [64, 64, 64]"
    path.write_text(text + grid)
    with pytest.raises(OptionInvalidError, match=named):
        load_config(str(path))


def test_neither_a_preset_nor_a_file() -> None:
    with pytest.raises(OptionInvalidError, match=r"'liver' is neither a file nor a preset \(.*hippocampus"):
        load_config("liver")


def test_another_length_changes_nothing_else() -> None:
    config = small_config()
    longer = config.with_steps(99)
    assert longer.optimiser.steps == 99
    assert longer.with_steps(config.optimiser.steps) == config
