"""A registration in one line."""

from dataclasses import replace

from eigenwarp.explanation import describe_registration
from eigenwarp.field.motion import Motion

TURN = Motion(
    translation_share=0.0,
    rotation_share=1.0,
    scaling_share=0.0,
    shear_share=0.0,
    rest_share=0.0,
    translation_mm=(0.0, 0.0, 0.0),
    rotation_degrees=6.0,
    rotation_axis=(1.0, 0.0, 0.0),
    scaling=1.0,
    rms_mm=1.5,
)


def test_the_motion_comes_first_and_the_largest_components_after_it() -> None:
    line = describe_registration([0.06, 0.02, 0.5, 0.1, 0.07], 0.25, TURN, {"head": 12.4})
    assert line.startswith("Mostly a rotation of 6.0° about the left-right axis")
    assert "the head grows by 12 %. " in line
    assert line.endswith("component 3 50 %, component 4 10 %, component 5 7 %; outside the basis 25 %.")


def test_small_components_are_not_named() -> None:
    assert "no component 5 %; outside the basis 92 %" in describe_registration([0.04, 0.04], 0.92, TURN)


def test_where_the_motion_is_not_known_the_components_stand_alone() -> None:
    assert (
        describe_registration([0.9], 0.1, None) == "Of the latent difference: component 1 90 %; outside the basis 10 %."
    )


def test_a_volume_onto_itself_does_not_move() -> None:
    still = replace(TURN, rotation_share=0.0, rotation_degrees=0.0, rms_mm=0.0)
    assert describe_registration([0.0, 0.0], 0.0, still) == "The two encodings are the same: nothing moves."
