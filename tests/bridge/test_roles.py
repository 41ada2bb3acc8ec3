"""A series that is moved onto the template: labels and determinants are brought back to it, the field stays."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import Dataset

from bridge.dicom.convert import convert_series
from bridge.objects.identity import atlas_frame_of_reference
from bridge.objects.spatial_registration import read_registration
from eigenwarp.client import Client
from eigenwarp.schemas.document import ModelReference
from eigenwarp.volume.nifti import segmentation_from_bytes
from tests.bridge.phantom import classic_series, save_series, stack
from tests.bridge.site import Site, send, stored
from tests.integration.deployment import Deployment
from tests.servers.orthanc import OrthancServer

LPS_AND_RAS = np.array([-1.0, -1.0, 1.0])
STACK = stack("axial", (8, -12, 5), shape=(22, 24, 18), pixel_spacing=(1.0, 1.25), slice_spacing=1.0)
RULE = """
[[rules]]
name = "tiny"
role = "moving"
model = "tiny"
refine = "none"
outputs = ["segmentation", "measurements", "jacobian", "registration", "report"]
[rules.match]
modality = ["MR"]
"""


def test_a_moving_series_gets_the_templates_labels_and_determinants_through_the_inverse_field(
    new_site: Callable[..., Site], archive: OrthancServer, service: Deployment
) -> None:
    site = new_site(service.url, archive, rules=RULE, quiet_seconds=0.5)
    site.start()
    series = classic_series(STACK, seed="moving")
    send(series, site.port)
    (job,) = site.settled(1)
    assert job["state"] == "confirmed", (job["code"], job["reason"])
    made = {kind: next(one for one in stored(archive, kind)) for kind in ("SEG", "SR", "OT", "REG", "DOC")}
    notes = json.loads(site.run("show", job["key"]))["notes"]
    with Client(service.url) as client:
        row = client.job(notes["service_job"])
        field, inverse = client.field_result(row), client.field_result(row, "inverse_field")
        name, _, version = notes["model"].partition("@")
        template = segmentation_from_bytes(client.template_labels(name, version))

    registration = read_registration(made["REG"])
    assert registration.fixed_frame_of_reference == atlas_frame_of_reference(ModelReference(name=name, version=version))
    assert registration.moving_frame_of_reference == series[0].FrameOfReferenceUID
    assert registration.field.geometry.matches(template.geometry)
    np.testing.assert_array_equal(registration.field.displacement, field.displacement)

    # Each pixel has the label of the template's voxel that the inverse field leads to, pixel by pixel.
    whole = convert_series(series)
    assert inverse.geometry.matches(whole.volume.geometry)
    points = STACK.points().reshape(-1, 3) * LPS_AND_RAS
    at = np.round(inverse.geometry.to_voxel(points)).astype(int)
    led_to = np.round(template.geometry.to_voxel(points + inverse.displacement[tuple(at.T)])).astype(int)
    within = ((led_to >= 0) & (led_to < template.data.shape)).all(axis=1)
    expected = np.zeros(len(points), dtype=int)
    expected[within] = template.data[tuple(led_to[within].T)]
    found = _labels(made["SEG"], whole.datasets)
    expected = expected.reshape(STACK.shape)
    shown = (found > 0) | (expected > 0)
    # Of a place halfway between two voxels either is as near.
    assert shown.sum() > 50
    assert (found[shown] == expected[shown]).mean() > 0.98

    # The determinant of the way from the series to the template, by differences of the inverse field in the world.
    steps = np.stack(np.gradient(inverse.displacement.astype(float), axis=(0, 1, 2)), axis=-1)
    by_hand = np.linalg.det(np.eye(3) + steps @ np.linalg.inv(inverse.geometry.affine[:3, :3]))
    told = np.frombuffer(made["OT"].FloatPixelData, dtype="<f4")
    np.testing.assert_allclose(np.sort(told), np.sort(by_hand.ravel()), atol=1e-4)
    assert _number(made["SR"], "JACOBIAN-MIN") == pytest.approx(by_hand.min(), abs=1e-4)
    assert _number(made["SR"], "JACOBIAN-MAX") == pytest.approx(by_hand.max(), abs=1e-4)


def test_plan_and_check_say_which_is_moved(new_site: Callable[..., Site], tmp_path: Path) -> None:
    site = new_site("http://127.0.0.1:9", rules=RULE)
    save_series(classic_series(STACK), tmp_path)
    assert "tiny, 18×24×22 voxels of 1.25×1×1 mm onto atlas; gives" in site.run("plan", str(tmp_path))
    assert "tiny, the series onto the model's template, refine none" in site.run("check")


def _labels(segmentation: Dataset, slices: tuple[Dataset, ...]) -> npt.NDArray[np.int_]:
    """Segment numbers, (slices, rows, columns) as the source's."""
    places = {one.SOPInstanceUID: number for number, one in enumerate(slices)}
    found = np.zeros(STACK.shape, dtype=int)
    for pixels, frame in zip(segmentation.pixel_array, segmentation.PerFrameFunctionalGroupsSequence, strict=True):
        source = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        number = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        found[places[source]][pixels.astype(bool)] = number
    return found


def _number(report: Dataset, code: str) -> float:
    """The only measurement of that name, anywhere in a structured report."""

    def walk(items: Iterable[Dataset]) -> Iterator[float]:
        for item in items:
            if "MeasuredValueSequence" in item and item.ConceptNameCodeSequence[0].CodeValue == code:
                yield float(item.MeasuredValueSequence[0].NumericValue)
            yield from walk(item.get("ContentSequence", ()))

    (found,) = walk(report.ContentSequence)
    return found
