"""What the report says in words is what the numbers say."""

from dataclasses import replace

import pytest

from bridge.objects.finding import Finding
from bridge.objects.wording import cautions, component_sentence, domain_words, motion_words
from eigenwarp.schemas.components import ComponentRow, MotionRow, MotionShares
from eigenwarp.schemas.document import Notice
from eigenwarp.schemas.report import ComponentShare
from tests.bridge.objects.conftest import Case


def _motion(**shares: float) -> MotionRow:
    every = dict.fromkeys(("translation", "rotation", "scaling", "shear", "rest"), 0.0) | shares
    return MotionRow(
        measured_over="labels",
        shares=MotionShares(**every),
        rms_mm=2.0,
        translation_mm=(0.1, -1.5, 1.0),
        rotation_degrees=4.0,
        rotation_axis=(-0.98, 0.1, 0.1),
        scaling_percent=-3.0,
    )


@pytest.mark.parametrize(
    ("shares", "amount", "words"),
    [
        ({"translation": 1.0}, 1.0, "a shift of 1.8 mm backward and upward"),
        ({"translation": 1.0}, -2.0, "a shift of 3.6 mm forward and downward"),
        ({"rotation": 1.0}, -0.5, "a turn of 2.0° about the left–right axis, as in nodding"),
        ({"scaling": 1.0}, 1.0, "an overall shrinkage by 3.0 % in length"),
        ({"scaling": 1.0}, -1.0, "an overall growth by 3.0 % in length"),
        ({"shear": 0.7, "scaling": 0.3}, 1.0, "a skewing, and an overall shrinkage by 3.0 % in length"),
        ({"rest": 0.9, "shear": 0.1}, 1.0, "a change of form that no shift, turn, growth or skewing makes"),
    ],
)
def test_a_motion_is_named_by_its_notable_parts(shares: dict[str, float], amount: float, words: str) -> None:
    assert motion_words(_motion(**shares), amount) == words


def test_the_sentence_leads_from_the_counterpart_to_the_series_on_either_side(one_case: Case) -> None:
    row = ComponentRow(
        component=1,
        explained_variance_ratio=0.3,
        cumulative=0.3,
        standard_deviation=5.0,
        motion=_motion(scaling=1.0),
        volume_changes=[],
    )
    share = ComponentShare(component=1, coefficient=10.0, share=0.5)
    said = {
        side: component_sentence(replace(one_case.finding, side=side), share, row)  # type: ignore[arg-type]
        for side in ("fixed", "moving")
    }
    assert said == {
        "fixed": "an overall shrinkage by 6.0 % in length",
        "moving": "an overall growth by 6.0 % in length",
    }


def test_a_place_in_the_cohort_is_told_as_a_comparison() -> None:
    assert domain_words(63.4) == "further from the average than 63 % of the training subjects"
    assert domain_words(100) == "further from the average than every training subject"


def test_warnings_name_the_series_and_are_said_once(one_case: Case) -> None:
    finding: Finding = one_case.finding
    series = replace(one_case.series, notices=(Notice(code="synthetic-geometry", detail="positions were made up"),))
    assert cautions(finding, series) == [
        "positions were made up",
        "this series: resampled from 1.25 × 1.75 × 2.5 mm to the model's 1 × 1 × 1 mm",
        "this series: 7.9 standard deviations from the training cohort's mean",
    ]
    assert cautions(replace(finding, side="moving"), one_case.series)[0].startswith("the template: resampled")
