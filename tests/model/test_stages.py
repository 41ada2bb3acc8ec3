"""Progress goes forwards, from 0 to 1, and who watches can stop the work."""

import itertools

import pytest

from eigenwarp.errors import JobCancelledError
from eigenwarp.model.registration import Refine, RegistrationModel
from eigenwarp.model.stages import Stages, part_of
from tests.tiny_bundle import blob

MOVING, FIXED = blob(1)[0], blob(2)[0]
NAMES = {
    Refine.NONE: ["encode", "decode", "field", "invert"],
    Refine.LATENT: ["encode", "refine", "decode", "field", "invert"],
    Refine.FIELD: ["encode", "refine", "decode", "refine field", "field", "invert"],
}


@pytest.mark.parametrize("refine", Refine)
def test_a_registration_tells_its_stages_in_order_and_how_far_it_is(model: RegistrationModel, refine: Refine) -> None:
    told: list[tuple[str, float]] = []
    found = model.register(MOVING, FIXED, refine=refine, on_stage=lambda *stage: told.append(stage))
    assert [name for name, _ in itertools.groupby(stage for stage, _ in told)] == NAMES[refine]
    assert list(found.timings) == NAMES[refine]
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert 0.5 < fractions[-1] < 1


def test_a_refinement_tells_of_each_step(model: RegistrationModel) -> None:
    told: list[str] = []
    model.register(MOVING, FIXED, refine=Refine.LATENT, on_stage=lambda stage, _: told.append(stage))
    assert told.count("refine") > 10


@pytest.mark.parametrize("last", NAMES[Refine.FIELD])
def test_what_the_watcher_raises_ends_the_work_there(model: RegistrationModel, last: str) -> None:
    told: list[str] = []

    def stop(stage: str, fraction: float) -> None:
        told.append(stage)
        if stage == last:
            raise JobCancelledError("stop")

    with pytest.raises(JobCancelledError):
        model.register(MOVING, FIXED, refine=Refine.FIELD, on_stage=stop)
    assert told[-1] == last
    assert told.count(last) == 1


def test_a_part_of_other_work_is_told_as_such() -> None:
    told: list[tuple[str, float]] = []
    stages = Stages({"warp": 1, "measure": 3}, part_of(lambda *stage: told.append(stage), 0.5, 0.9))
    stages.begin("warp")
    stages.begin("measure")
    stages.within(0.5)
    stages.end()
    assert told == [("warp", 0.5), ("measure", pytest.approx(0.6)), ("measure", pytest.approx(0.75))]
    assert list(stages.seconds) == ["warp", "measure"]
