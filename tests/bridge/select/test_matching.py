"""Which rule takes a series, why the others do not, and that a side is never guessed."""

from dataclasses import replace

import pytest
from pydicom import Dataset

from bridge.config.rules import Rule
from bridge.select import Chosen, Refused, SeriesFacts, choose, facts_of
from tests.bridge.phantom import classic_series, enhanced_series, stack

FACTS = SeriesFacts(
    modality="MR",
    sop_classes=frozenset({"1.2.840.10008.5.1.4.1.1.4"}),
    series_description="Sag T1 LEFT",
    study_description="Brain",
    protocol_name=None,
    body_part="BRAIN",
    image_type="ORIGINAL\\PRIMARY\\M",
    laterality=None,
    rows=(256, 256),
    columns=(192, 192),
    images=176,
    is_own=False,
)


def rule(name: str = "r", localize: object = None, **match: object) -> Rule:
    return Rule.model_validate({"name": name, "match": match or {"modality": ["MR"]}, "localize": localize})


def refusal(facts: SeriesFacts, **match: object) -> str:
    found = choose([rule(**match)], facts)  # type: ignore[arg-type]
    assert isinstance(found, Refused)
    return found.text


@pytest.mark.parametrize(
    "match",
    [
        {"modality": ["CT", "MR"]},
        {"sop_class": ["1.2.840.10008.5.1.4.1.1.4"]},
        {"series_description": "(?i)t1", "study_description": "^Brain$", "body_part": "BRAIN"},
        {"image_type": r"ORIGINAL\\PRIMARY"},
        {"rows": [256, 512], "columns": [1, 192], "images": [100, 200]},
        {"modality": ["MR"], "protocol_name": "T1", "missing": ["protocol_name"]},
    ],
)
def test_a_series_that_is_as_a_rule_wants_it_is_taken(match: dict[str, object]) -> None:
    assert choose([rule(**match)], FACTS) == Chosen(rule(**match), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        ({"modality": ["CT"]}, "modality MR is none of CT"),
        ({"sop_class": ["1.2.840.10008.5.1.4.1.1.2"]}, "SOP class 1.2.840.10008.5.1.4.1.1.4 is none of"),
        ({"series_description": "T2"}, "series_description 'Sag T1 LEFT' does not match 'T2'"),
        ({"protocol_name": "T1"}, "protocol_name is missing"),
        ({"rows": [1, 128]}, "rows 256 is outside 1 to 128"),
        ({"images": [1, 100]}, "176 images are outside 1 to 100"),
    ],
)
def test_a_series_that_is_not_is_told_what_is_missing(match: dict[str, object], reason: str) -> None:
    assert refusal(FACTS, **match) == f"r: {reason}" or reason in refusal(FACTS, **match)


def test_a_secondary_capture_that_says_mr_is_told_apart_by_its_sop_class() -> None:
    capture = replace(FACTS, sop_classes=frozenset({"1.2.840.10008.5.1.4.1.1.7"}))
    assert "SOP class 1.2.840.10008.5.1.4.1.1.7" in refusal(
        capture, modality=["MR"], sop_class=["1.2.840.10008.5.1.4.1.1.4"]
    )


def test_the_first_rule_that_holds_is_taken_and_otherwise_each_says_why_not() -> None:
    rules = [rule("ct", modality=["CT"]), rule("mr", modality=["MR"]), rule("too", modality=["MR"])]
    found = choose(rules, FACTS)
    assert isinstance(found, Chosen)
    assert found.rule.name == "mr"
    assert choose(rules, replace(FACTS, modality="PT")) == Refused(
        (("ct", "modality PT is none of CT"), ("mr", "modality PT is none of MR"), ("too", "modality PT is none of MR"))
    )


SIDE = {"tag": "SeriesDescription", "left": r"(?i)\bleft\b", "right": r"(?i)\bright\b"}


@pytest.mark.parametrize(
    ("description", "side"),
    [("Sag T1 LEFT", "left"), ("right hippocampus", "right"), ("T1 bright", None), (None, None)],
)
def test_a_side_is_read_where_the_rule_says_or_the_series_is_left_alone(
    description: str | None, side: str | None
) -> None:
    found = choose([rule(localize={"side": SIDE})], replace(FACTS, series_description=description))
    if side is None:
        assert isinstance(found, Refused)
        assert "side" in found.text
    else:
        assert isinstance(found, Chosen)
        assert found.side == side


def test_a_series_that_names_both_sides_is_left_alone() -> None:
    found = choose([rule(localize={"side": SIDE})], replace(FACTS, series_description="left and right"))
    assert isinstance(found, Refused)
    assert "both sides: a side is never guessed" in found.text


def test_what_the_bridge_made_is_taken_by_no_rule() -> None:
    assert "made by this bridge" in refusal(replace(FACTS, is_own=True), modality=["MR"])


def test_facts_are_those_of_all_instances_and_frames_count_as_images() -> None:
    classic = classic_series(stack("axial"))
    classic[3].Rows = 99
    facts = facts_of(classic)
    assert (facts.modality, facts.images, facts.rows) == ("MR", 14, (24, 99))
    assert facts.image_type == "ORIGINAL\\PRIMARY\\M"
    assert facts_of([enhanced_series(stack("axial"))]).images == 14


def test_nothing_is_known_of_an_instance_that_says_nothing() -> None:
    facts = facts_of([Dataset()])
    assert (facts.modality, facts.rows, facts.images) == (None, None, 1)
    assert "modality is missing" in refusal(facts, modality=["MR"])
