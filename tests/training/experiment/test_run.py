"""Stages run when they are due, and only then."""

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eigenwarp.errors import OptionInvalidError
from tests.tiny_bundle import write_tiny_bundle
from tests.training.experiment.conftest import load_tiny
from tests.training.experiment.small_stages import Counted
from training.data.cohort import open_cohort
from training.experiment.record import read_record, record_path
from training.experiment.run import Experiment, run_experiment
from training.experiment.stage import Stage


def test_a_second_call_does_nothing(experiment: Experiment) -> None:
    counted = Counted()
    stages = (counted.stage("one"), counted.stage("two"))
    first = run_experiment(experiment, stages)
    content = record_path(experiment.out, "one").read_bytes()
    second = run_experiment(experiment, stages)
    assert counted.runs == {"one": 1, "two": 1}
    assert [(o.ran, o.current) for o in first] == [(True, True)] * 2
    assert [(o.ran, o.current) for o in second] == [(False, True)] * 2
    assert [o.record for o in first] == [o.record for o in second]
    assert record_path(experiment.out, "one").read_bytes() == content


def test_what_was_stopped_goes_on_where_it_was(experiment: Experiment) -> None:
    counted = Counted()

    def stop(workplace: object, progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(experiment, (counted.stage("one"), Stage("two", "Two", "", stop)))  # type: ignore[arg-type]
    run_experiment(experiment, (counted.stage("one"), counted.stage("two")))
    assert counted.runs == {"one": 1, "two": 1}


def test_another_model_makes_every_stage_due(experiment: Experiment, tmp_path: Path) -> None:
    counted = Counted()
    stages = (counted.stage("one"),)
    run_experiment(experiment, stages)
    other = write_tiny_bundle(tmp_path / "other", with_basis=False)
    (outcome,) = run_experiment(replace(experiment, model=load_tiny(other)), stages)
    assert outcome.ran
    assert outcome.record is not None
    assert outcome.record.fingerprint.model != f"tiny {experiment.model.bundle.version}"
    run_experiment(replace(experiment, with_skips=load_tiny(other)), stages)
    assert counted.runs["one"] == 3


def test_another_seed_makes_a_stage_due(experiment: Experiment) -> None:
    counted = Counted()
    run_experiment(experiment, (counted.stage("one"),))
    (outcome,) = run_experiment(replace(experiment, seed=1), (counted.stage("one"),))
    assert counted.runs["one"] == 2
    assert outcome.record is not None
    assert outcome.record.findings.tables[0].rows[1][2] == 1


def test_another_content_of_a_subject_makes_a_stage_due(experiment: Experiment, subjects: Path, tmp_path: Path) -> None:
    counted = Counted()
    run_experiment(experiment, (counted.stage("one"),))
    changed = shutil.copytree(subjects, tmp_path / "changed")
    image = next(iter(open_cohort(changed, "train").subjects)).image
    content = bytearray(gzip.decompress(image.read_bytes()))
    content[-4:] = np.float32(77).tobytes()
    image.write_bytes(gzip.compress(bytes(content)))
    groups = {"train": open_cohort(changed, "train"), "validation": open_cohort(changed, "validation")}
    run_experiment(replace(experiment, **groups), (counted.stage("one"),))
    assert counted.runs["one"] == 2


def test_a_lost_picture_or_a_torn_record_makes_a_stage_due(experiment: Experiment) -> None:
    counted = Counted()
    stages = (counted.stage("one"),)
    run_experiment(experiment, stages)
    (experiment.out / "figures" / "one-picture.png").unlink()
    run_experiment(experiment, stages)
    record_path(experiment.out, "one").write_text("{")
    run_experiment(experiment, stages)
    assert counted.runs["one"] == 3


def test_a_stage_that_fails_is_told_and_the_others_go_on(experiment: Experiment) -> None:
    counted = Counted()
    told: list[tuple[str, str]] = []
    stages = (counted.stage("one"), counted.stage("two", fails=True), counted.stage("three"))
    outcomes = run_experiment(experiment, stages, on_failure=lambda stage, error: told.append((stage.name, str(error))))
    assert told == [("two", "the instrument broke")]
    assert [o.failure for o in outcomes] == ["", "RuntimeError: the instrument broke", ""]
    assert not record_path(experiment.out, "two").exists()
    run_experiment(experiment, stages)
    assert counted.runs == {"one": 1, "two": 2, "three": 1}


def test_a_stage_without_its_picture_fails(experiment: Experiment) -> None:
    counted = Counted()
    stage = counted.stage("one", figures=())
    missing = counted.stage("two")

    def forgetful(workplace: object, progress: object) -> object:
        findings = missing.run(workplace, progress)  # type: ignore[arg-type]
        (experiment.out / "figures" / "two-picture.png").unlink()
        return findings

    outcomes = run_experiment(experiment, (stage, replace(missing, run=forgetful)))  # type: ignore[arg-type]
    assert outcomes[0].failure == ""
    assert "two-picture" in outcomes[1].failure


def test_one_stage_alone_leaves_the_others_as_they_are(experiment: Experiment) -> None:
    counted = Counted()
    stages = (counted.stage("one"), counted.stage("two"))
    outcomes = run_experiment(experiment, stages, only=("two",))
    assert counted.runs == {"two": 1}
    assert outcomes[0].record is None
    with pytest.raises(OptionInvalidError, match="no stage 'three'; there are: one, two"):
        run_experiment(experiment, stages, only=("three",))


def test_two_stages_of_one_name_are_refused(experiment: Experiment) -> None:
    counted = Counted()
    with pytest.raises(OptionInvalidError, match="share a name"):
        run_experiment(experiment, (counted.stage("one"), counted.stage("one")))


def test_pictures_that_a_stage_no_longer_makes_are_removed(experiment: Experiment) -> None:
    counted = Counted()
    run_experiment(experiment, (counted.stage("one", figures=("a", "b")),))
    kept = experiment.out / "figures" / "somebody-elses.png"
    kept.write_bytes(b"")
    run_experiment(replace(experiment, seed=1), (counted.stage("one", figures=("b", "c")),))
    assert {path.name for path in (experiment.out / "figures").iterdir()} == {"b.png", "c.png", kept.name}


def test_the_share_of_the_work_only_grows_and_ends_at_all_of_it(experiment: Experiment) -> None:
    counted = Counted()
    shares: list[float] = []
    stages = (counted.stage("one"), counted.stage("two", fails=True))
    run_experiment(experiment, stages, on_share=lambda stage, share: shares.append(share))
    assert shares == [0, 0.25, 0.5, 0.5, 0.75, 1]


def test_a_record_says_what_it_depends_on(experiment: Experiment) -> None:
    run_experiment(experiment, (Counted().stage("one"),))
    written = json.loads(record_path(experiment.out, "one").read_text())
    assert written["fingerprint"]["model"] == f"tiny {experiment.model.bundle.version}"
    assert written["fingerprint"]["with_skips"] == f"tiny-skips {experiment.with_skips.bundle.version}"
    record = read_record(experiment.out, "one")
    assert record is not None
    # Numbers stay what they were: a whole number whole, a fraction to its last digit, a gap a gap.
    (first, second) = record.findings.tables[0].rows
    assert first[1:] == (1 / 3, 12)
    assert isinstance(first[2], int)
    assert second[1] is None


def test_models_on_different_grids_are_not_compared(experiment: Experiment) -> None:
    stage = Counted().stage("one")
    other = load_tiny_of_other_labels(experiment)
    with pytest.raises(OptionInvalidError, match="'tiny' and 'tiny-skips' differ"):
        run_experiment(replace(experiment, with_skips=other), (stage,))


def load_tiny_of_other_labels(experiment: Experiment) -> "object":
    from eigenwarp.model.registration import RegistrationModel

    bundle = experiment.with_skips.bundle
    manifest = bundle.manifest.model_copy(update={"labels": {"head": 1, "tail": 2}})
    return RegistrationModel(replace(bundle, manifest=manifest), torch.device("cpu"))
