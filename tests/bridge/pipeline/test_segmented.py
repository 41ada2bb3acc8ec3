"""Which SEG of a study a region is taken from, asked of a real archive; and why none is."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid

from bridge.archive import Archive
from bridge.archive.dicomweb import DicomwebClientArchive
from bridge.archive.dimse import DimseArchive
from bridge.archive.retrievals import Retrievals
from bridge.config.archive import DicomwebArchive
from bridge.config.archive import DimseArchive as DimseConfig
from bridge.config.regions import FromSegmentation
from bridge.dicom.convert import convert_series
from bridge.objects.identity import ResultIdentity
from bridge.pipeline.segmented import segmented_region
from bridge.refusals import SegmentationAmbiguousError, SegmentationMissingError, SegmentationUnusableError
from tests.bridge.drawn import drawn
from tests.bridge.phantom import classic_series, stack
from tests.bridge.site import AE_TITLE, encoded
from tests.servers.orthanc import OrthancServer

STACK = stack("sagittal", (8, -12, 5))
IMAGES = classic_series(STACK, seed="segmented")
SERIES = convert_series(IMAGES)
LEFT = FromSegmentation(series_description="(?i)^roi", label="(?i)left", margin_mm=2.5)


def block(low: tuple[int, int, int] = (3, 5, 4), high: tuple[int, int, int] = (8, 15, 11)) -> npt.NDArray[np.bool_]:
    mask = np.zeros(STACK.shape, dtype=bool)
    mask[low[0] : high[0] + 1, low[1] : high[1] + 1, low[2] : high[2] + 1] = True
    return mask


def roi(seed: str, label: str = "Left one", description: str = "ROI of a reader") -> Dataset:
    other = block((10, 17, 12), (12, 20, 15))
    return drawn(IMAGES, {label: block(), "Elsewhere": other}, description=description, seed=seed)


@pytest.fixture(params=["dicomweb", "dimse"])
def reached(request: pytest.FixtureRequest, archive: OrthancServer) -> Iterator[Archive]:
    made: Archive = (
        DicomwebClientArchive(DicomwebArchive(kind="dicomweb", url=archive.dicomweb, timeout_seconds=5))
        if request.param == "dicomweb"
        else DimseArchive(
            DimseConfig(kind="dimse", ae_title="ARCHIVE", host="127.0.0.1", port=archive.dicom_port, timeout_seconds=5),
            AE_TITLE,
            Retrievals(),
        )
    )
    yield made
    made.close()


def test_the_one_that_fits_is_found_among_others_and_gives_its_box_and_the_margin(
    reached: Archive, archive: OrthancServer
) -> None:
    elsewhere = roi("elsewhere")
    elsewhere.FrameOfReferenceUID = generate_uid(entropy_srcs=["elsewhere"])
    own = roi("own")
    own.Manufacturer, own.ManufacturerModelName = ResultIdentity.manufacturer, ResultIdentity.model_name
    fitting = roi("fitting")
    for dataset in (IMAGES[0], elsewhere, own, fitting, roi("right", "Right one"), roi("named", description="Lesions")):
        archive.upload(encoded(dataset))
    found = segmented_region(reached, LEFT, SERIES)
    assert found.sop_instance_uid == fitting.SOPInstanceUID
    ends = np.array(list(product((2.5, 8.5), (4.5, 15.5), (3.5, 11.5))))
    corners = ends @ STACK.affine[:3, :3].T + STACK.affine[:3, 3]
    np.testing.assert_allclose(found.box.low, corners.min(axis=0) - 2.5, atol=1e-3)
    np.testing.assert_allclose(found.box.high, corners.max(axis=0) + 2.5, atol=1e-3)


def test_none_is_said_with_what_the_others_lack(reached: Archive, archive: OrthancServer) -> None:
    with pytest.raises(SegmentationMissingError, match=r"no SEG with series_description.*: the archive lists no other"):
        segmented_region(reached, LEFT, SERIES)
    elsewhere = roi("elsewhere")
    elsewhere.FrameOfReferenceUID = generate_uid(entropy_srcs=["elsewhere"])
    for dataset in (IMAGES[0], elsewhere, roi("right", "Right one"), roi("named", description="Lesions")):
        archive.upload(encoded(dataset))
    with pytest.raises(SegmentationMissingError) as caught:
        segmented_region(reached, LEFT, SERIES)
    assert "'ROI of a reader' has another frame of reference than the series" in caught.value.detail
    assert "'ROI of a reader' has no such segment, but 'Right one', 'Elsewhere'" in caught.value.detail
    assert "'Lesions' does not match" in caught.value.detail


def test_of_two_the_one_drawn_on_the_series_is_taken_and_otherwise_none_is_guessed(
    reached: Archive, archive: OrthancServer
) -> None:
    here, beside = roi("here"), roi("beside")
    beside.ReferencedSeriesSequence[0].SeriesInstanceUID = generate_uid(entropy_srcs=["another series"])
    for dataset in (here, beside):
        archive.upload(encoded(dataset))
    assert segmented_region(reached, LEFT, SERIES).sop_instance_uid == here.SOPInstanceUID
    archive.upload(encoded(roi("again", description="ROI, second reader")))
    with pytest.raises(SegmentationAmbiguousError, match=r"2 objects of the study.*second reader"):
        segmented_region(reached, LEFT, SERIES)


def test_one_that_shows_nothing_is_unusable(reached: Archive, archive: OrthancServer) -> None:
    empty = roi("empty")
    empty.PixelData = bytes(len(empty.PixelData))
    archive.upload(encoded(empty))
    with pytest.raises(SegmentationUnusableError, match="hold no voxel"):
        segmented_region(reached, LEFT, SERIES)
