"""One body, sent in every way that scanners and archives store it: all come back with the same labels and field."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileDataset

from bridge.objects.spatial_registration import RegistrationGrid, read_registration
from tests.bridge.compressed import COMPRESSED, compressed_series
from tests.bridge.phantom import PATIENT_ID, classic_series, enhanced_series, stack
from tests.bridge.site import Site, send, stored
from tests.integration.deployment import Deployment
from tests.servers.orthanc import OrthancServer

STACK = stack("coronal", (8, -4, 3))
# Frames lie in an instance as they were acquired, not as the slices lie.
ORDER = [3, 0, 7, 1, 13, 2, 9, 4, 12, 5, 6, 11, 10, 8]
RULES = """
[[rules]]
name = "multi-frame"
model = "tiny"
refine = "none"
outputs = ["segmentation", "measurements", "jacobian", "registration", "report"]
[rules.match]
sop_class = ["1.2.840.10008.5.1.4.1.1.4.1"]

[[rules]]
name = "single-frame"
model = "tiny"
refine = "none"
outputs = ["segmentation", "registration"]
[rules.match]
modality = ["MR"]
"""


def test_compressed_and_multi_frame_series_come_back_as_the_plain_one(
    new_site: Callable[..., Site], archive: OrthancServer, service: Deployment, tmp_path: Path
) -> None:
    ways: dict[str, list[FileDataset]] = {"plain": classic_series(STACK, seed="plain")}
    ways["multi-frame"] = [enhanced_series(STACK, order=ORDER, seed="multi-frame")]
    for syntax in COMPRESSED:
        ways[syntax] = compressed_series(classic_series(STACK, seed=syntax), syntax, _folder(tmp_path, syntax))
    name = "multi-frame, JPEG 2000 Lossless"
    ways[name] = compressed_series(
        [enhanced_series(STACK, order=ORDER, seed=name)], "JPEG 2000 Lossless", _folder(tmp_path, name)
    )
    site = new_site(service.url, archive, rules=RULES)
    site.start()
    for series in ways.values():
        send(series, site.port)
    jobs = site.settled(len(ways))
    assert {job["state"] for job in jobs} == {"confirmed"}, [(job["code"], job["reason"]) for job in jobs]

    made = {kind: {one.StudyInstanceUID: one for one in stored(archive, kind)} for kind in ("SEG", "REG")}
    assert all(len(objects) == len(ways) for objects in made.values())
    plain = ways["plain"][0].StudyInstanceUID
    for way, series in ways.items():
        study = series[0].StudyInstanceUID
        segmentation = made["SEG"][study]
        assert segmentation.PatientID == PATIENT_ID
        assert segmentation.FrameOfReferenceUID == series[0].FrameOfReferenceUID
        _require_same_labels(segmentation, made["SEG"][plain], way)
        _require_frames_of(segmentation, series)
        _require_same_field(read_registration(made["REG"][study]), read_registration(made["REG"][plain]), way)
    for kind in ("SR", "OT", "DOC"):
        expected = {series[0].StudyInstanceUID for way, series in ways.items() if way.startswith("multi-frame")}
        assert {one.StudyInstanceUID for one in stored(archive, kind)} == expected


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name.replace(" ", "-")
    folder.mkdir()
    return folder


def _labels(segmentation: Dataset) -> dict[tuple[str, tuple[float, ...]], np.ndarray]:
    """Mask of each segment at each position (LPS mm) that has any of it."""
    found = {}
    for mask, frame in zip(segmentation.pixel_array, segmentation.PerFrameFunctionalGroupsSequence, strict=True):
        number = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        label = segmentation.SegmentSequence[number - 1].SegmentLabel
        found[label, _position(frame)] = mask
    assert len(found) == segmentation.NumberOfFrames
    return found


def _position(group: Dataset) -> tuple[float, ...]:
    return tuple(round(float(mm), 4) for mm in group.PlanePositionSequence[0].ImagePositionPatient)


def _require_same_labels(segmentation: Dataset, plain: Dataset, way: str) -> None:
    labels, expected = _labels(segmentation), _labels(plain)
    assert {label for label, _ in expected} == {"head", "body"}
    assert labels.keys() == expected.keys(), way
    assert all((labels[place] == expected[place]).all() for place in expected), way
    assert sum(int(mask.sum()) for mask in labels.values()) > 0
    for shared, of_plain in zip(
        segmentation.SharedFunctionalGroupsSequence, plain.SharedFunctionalGroupsSequence, strict=True
    ):
        np.testing.assert_allclose(
            shared.PlaneOrientationSequence[0].ImageOrientationPatient,
            of_plain.PlaneOrientationSequence[0].ImageOrientationPatient,
            atol=1e-9,
        )
        for name in ("PixelSpacing", "SpacingBetweenSlices"):
            measures = (group.PixelMeasuresSequence[0].get(name) for group in (shared, of_plain))
            np.testing.assert_allclose(*measures, rtol=1e-9)


def _require_frames_of(segmentation: Dataset, series: list[FileDataset]) -> None:
    """Each frame refers to the instance, or the frame of the instance, that lies where it lies."""
    instances = {one.SOPInstanceUID: one for one in series}
    for frame in segmentation.PerFrameFunctionalGroupsSequence:
        (source,) = frame.DerivationImageSequence[0].SourceImageSequence
        instance = instances[source.ReferencedSOPInstanceUID]
        if "PerFrameFunctionalGroupsSequence" in instance:
            number = int(source.ReferencedFrameNumber)
            lies = _position(instance.PerFrameFunctionalGroupsSequence[number - 1])
        else:
            lies = tuple(round(float(mm), 4) for mm in instance.ImagePositionPatient)
        assert lies == pytest.approx(_position(frame), abs=1e-3)


def _require_same_field(registration: RegistrationGrid, plain: RegistrationGrid, way: str) -> None:
    np.testing.assert_array_equal(registration.field.displacement, plain.field.displacement, way)
    assert registration.field.geometry.matches(plain.field.geometry)
    assert np.abs(plain.field.displacement).max() > 0.1
