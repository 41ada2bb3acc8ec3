"""The box around what a SEG shows, against boxes drawn by hand and places of the phantom's own pixels."""

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from highdicom.seg import SegmentationTypeValues
from pydicom import Dataset

from bridge.dicom.segments import SEGMENTATION_CLASSES, box_of_segments, matching_segments
from bridge.refusals import SegmentationUnusableError
from tests.bridge import phantom
from tests.bridge.drawn import drawn


def block(of: phantom.Stack, low: tuple[int, int, int], high: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Pixels from ``low`` to ``high``, both included, (slice, row, column)."""
    mask = np.zeros(of.shape, dtype=bool)
    mask[low[0] : high[0] + 1, low[1] : high[1] + 1, low[2] : high[2] + 1] = True
    return mask


def segmentation(
    of: phantom.Stack, kind: SegmentationTypeValues = SegmentationTypeValues.BINARY, **masks: npt.NDArray[np.bool_]
) -> Dataset:
    return drawn(phantom.classic_series(of), masks, description="Drawn", seed="drawn", kind=kind)


@pytest.mark.parametrize("kind", SegmentationTypeValues)
def test_an_upright_block_gives_its_faces(kind: SegmentationTypeValues) -> None:
    """Axial: columns go to the left by 1.75 mm, rows to the back by 1.25 mm, slices up by 2.5 mm."""
    of = phantom.stack("axial")
    far = block(of, (9, 20, 15), (12, 22, 17))
    made = segmentation(of, kind, far=far, block=block(of, (2, 5, 7), (4, 9, 12)))
    assert made.SOPClassUID in SEGMENTATION_CLASSES
    found = box_of_segments(made, matching_segments(made, "block"))
    x, y, z = of.position
    assert found.low == pytest.approx((x + 6.5 * 1.75, y + 4.5 * 1.25, z + 1.5 * 2.5))
    assert found.high == pytest.approx((x + 12.5 * 1.75, y + 9.5 * 1.25, z + 4.5 * 2.5))


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_an_oblique_block_gives_the_box_around_its_eight_corners(plane: phantom.Plane) -> None:
    of = phantom.stack(plane, (35.0, 25.0, -50.0))
    found = box_of_segments(segmentation(of, block=block(of, (2, 5, 7), (4, 9, 12))), (1,))
    ends = np.array(list(product((1.5, 4.5), (4.5, 9.5), (6.5, 12.5))))
    corners = ends @ of.affine[:3, :3].T + of.affine[:3, 3]
    np.testing.assert_allclose(found.low, corners.min(axis=0), atol=1e-4)
    np.testing.assert_allclose(found.high, corners.max(axis=0), atol=1e-4)


def test_several_segments_are_taken_together_and_others_left_out() -> None:
    of = phantom.stack("axial")
    one, two, far = (
        block(of, (1, 1, 1), (2, 2, 2)),
        block(of, (3, 3, 3), (4, 6, 5)),
        block(of, (9, 20, 15), (12, 22, 17)),
    )
    made = segmentation(of, left_head=one, left_body=two, right=far)
    assert matching_segments(made, "^left") == (1, 2)
    assert matching_segments(made, "nothing") == ()
    assert matching_segments(made, None) == (1, 2, 3)
    both = box_of_segments(made, (1, 2))
    single = box_of_segments(segmentation(of, all=one | two), (1,))
    assert both == single
    # A segment in a gap of empty slices, which are not stored.
    apart = box_of_segments(made, (1, 3))
    assert apart.high == pytest.approx(of.position + np.array([17.5 * 1.75, 22.5 * 1.25, 12.5 * 2.5]))


def test_a_segmentation_that_shows_no_place_is_refused() -> None:
    of = phantom.stack("axial")
    made = segmentation(of, block=block(of, (2, 5, 7), (4, 9, 12)))
    made.PixelData = bytes(len(made.PixelData))
    with pytest.raises(SegmentationUnusableError, match="segments 1 hold no voxel"):
        box_of_segments(made, (1,))
    placeless = segmentation(of, block=block(of, (2, 5, 7), (4, 9, 12)))
    for frame in placeless.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence
    with pytest.raises(SegmentationUnusableError, match="cannot be read as a volume"):
        box_of_segments(placeless, (1,))
