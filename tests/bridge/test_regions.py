"""A region of interest: a part of a series goes to the service, and what comes back lies on the whole series."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileDataset
from scipy.spatial import cKDTree

from bridge.dicom.convert import convert_series
from bridge.dicom.region import PatientBox
from bridge.objects.identity import is_result
from bridge.objects.spatial_registration import read_registration
from eigenwarp.client import Client
from eigenwarp.volume import Volume
from tests.bridge.drawn import drawn
from tests.bridge.phantom import Stack, classic_series, save_series, stack
from tests.bridge.site import Site, encoded, send, stored
from tests.integration.deployment import Deployment
from tests.servers.orthanc import OrthancServer
from tests.servers.processes import wait_until

LPS_AND_RAS = np.array([-1.0, -1.0, 1.0])
STACK = stack("coronal", (8, -12, 5), shape=(18, 34, 26))
BOX = PatientBox((-9.0, -10.0, -8.0), (9.5, 9.0, 10.0))

RULE = """
[[rules]]
name = "{name}"
model = "tiny"
refine = "none"
outputs = ["segmentation", "jacobian", "registration", "report"]
{region}
[rules.match]
series_description = "{description}"
"""
BOX_RULE = RULE.format(
    name="boxed", description="boxed", region="box = {corners = [[-9.0, -10.0, -8.0], [9.5, 9.0, 10.0]]}"
)
BESIDE_RULE = RULE.format(
    name="beside", description="beside", region="box = {centre = [300, 0, 0], size = [20, 20, 20]}"
)
FOLLOWUP_RULE = BOX_RULE.replace("boxed", "followup").replace("[rules.match]", 'reference = "prior"\n[rules.match]')
MARGIN_MM = 2.0
DRAWN_RULE = RULE.format(
    name="drawn",
    description="drawn",
    region='segmentation = {series_description = "^ROI", label = "(?i)left", margin_mm = 2.0}',
)


def series_of(seed: str, description: str) -> list[FileDataset]:
    """The phantom in a study of its own."""
    series = classic_series(STACK, seed=seed)
    for dataset in series:
        dataset.SeriesDescription = description
    return series


def test_a_box_is_cropped_to_and_results_lie_on_the_whole_series(
    new_site: Callable[..., Site], archive: OrthancServer, service: Deployment
) -> None:
    site = new_site(service.url, archive, rules=BOX_RULE + BESIDE_RULE + FOLLOWUP_RULE, quiet_seconds=0.5)
    site.start()
    earlier = series_of("earlier", "followup")
    for dataset in earlier:
        dataset.StudyDate = "20200102"
        archive.upload(encoded(dataset))
    boxed, beside, later = (series_of(name, name) for name in ("boxed", "beside", "followup"))
    send([*boxed, *beside, *later], site.port)
    jobs = {job["rule"]: job for job in site.settled(3)}
    assert jobs["boxed"]["state"] == "confirmed", (jobs["boxed"]["code"], jobs["boxed"]["reason"])
    require_results_of_the_crop(site, service, archive, jobs["boxed"], boxed, BOX)

    assert jobs["followup"]["state"] == "confirmed", (jobs["followup"]["code"], jobs["followup"]["reason"])
    notes = json.loads(site.run("show", jobs["followup"]["key"]))["notes"]
    with Client(service.url) as client:
        request = client.job(notes["service_job"]).request
        sent = [client.volume(uid).shape for uid in (request.moving, request.fixed)]  # type: ignore[union-attr]
    assert sent == [expected_shape(STACK, BOX)] * 2

    assert (jobs["beside"]["state"], jobs["beside"]["failed_in"]) == ("failed", "selected")
    assert jobs["beside"]["code"] == "region-outside-series"
    assert "[290, 310]×[-10, 10]×[-10, 10] mm (LPS) does not meet" in jobs["beside"]["reason"]
    assert "region-outside-series" in site.run("status")


def test_a_series_waits_for_its_segmentation_is_cropped_to_it_and_two_are_not_chosen_from(
    new_site: Callable[..., Site], archive: OrthancServer, service: Deployment
) -> None:
    site = new_site(service.url, archive, rules=DRAWN_RULE, quiet_seconds=0.5)
    site.start()
    series = series_of("drawn", "drawn")
    send(series, site.port)
    wait_until(lambda: any(job["code"] for job in site.jobs("selected")), "the series waits", 20)
    (job,) = site.jobs()
    assert (job["state"], job["code"]) == ("selected", "segmentation-missing")
    assert "segmentation-missing" in site.run("status")

    mask = np.zeros(STACK.shape, dtype=bool)
    mask[5:12, 10:23, 8:18] = True
    region = drawn(series, {"Left part": mask, "Right part": ~mask}, description="ROI", seed="region")
    archive.upload(encoded(region))
    (job,) = site.settled(1)
    assert job["state"] == "confirmed", (job["code"], job["reason"])
    ends = np.array(list(product((4.5, 11.5), (9.5, 22.5), (7.5, 17.5))))
    corners = ends @ STACK.affine[:3, :3].T + STACK.affine[:3, 3]
    low, high = corners.min(axis=0) - MARGIN_MM, corners.max(axis=0) + MARGIN_MM
    require_results_of_the_crop(site, service, archive, job, series, PatientBox(tuple(low), tuple(high)))
    assert json.loads(site.run("show", job["key"]))["notes"]["segmentation"] == region.SOPInstanceUID

    twice = series_of("twice", "drawn")
    for reader in ("first", "second"):
        archive.upload(encoded(drawn(twice, {"Left": mask}, description=f"ROI, {reader} reader", seed=reader)))
    send(twice, site.port)
    (newest, _) = site.settled(2)
    assert (newest["state"], newest["failed_in"], newest["code"]) == ("failed", "selected", "segmentation-ambiguous")
    assert "first reader" in newest["reason"]
    assert "second reader" in newest["reason"]


def test_plan_and_check_say_what_is_cropped(new_site: Callable[..., Site], tmp_path: Path) -> None:
    site = new_site("http://127.0.0.1:9", rules=BOX_RULE + BESIDE_RULE + DRAWN_RULE)
    for name in ("boxed", "beside", "drawn"):
        (tmp_path / name).mkdir()
        save_series(series_of(name, name), tmp_path / name)
    planned = dict(line.split(": ", 1) for line in site.run("plan", str(tmp_path)).splitlines())
    part = "×".join(map(str, expected_shape(STACK, BOX)))
    assert f"onto 26×18×34 voxels of 1.75×2.5×1.25 mm, cropped to {part} voxels" in planned[uid_of("boxed")]
    around = "cropped to the study's SEG with series_description '^ROI' and label '(?i)left' and 2 mm around it"
    assert around in planned[uid_of("drawn")]
    assert planned[uid_of("beside")].startswith("rule beside would fail: region-outside-series: the box [290, 310]")
    said = site.run("check")
    assert "; crops to the box [-9, 9.5]×[-10, 9]×[-8, 10] mm (LPS)" in said
    assert "; crops to the study's SEG with series_description '^ROI'" in said


def uid_of(seed: str) -> str:
    return str(series_of(seed, seed)[0].SeriesInstanceUID)


def expected_shape(of: Stack, box: PatientBox) -> tuple[int, int, int]:
    """Of a coronal stack's crop along (column, slice, row), by the slices' own affine."""
    corners = np.array(np.meshgrid(*zip(box.low, box.high, strict=True))).reshape(3, -1)
    indices = np.linalg.solve(of.affine[:3, :3], corners - of.affine[:3, 3:])
    slices, rows, columns = np.round(indices.max(axis=1)).astype(int) - np.round(indices.min(axis=1)).astype(int) + 1
    return int(columns), int(slices), int(rows)


def require_results_of_the_crop(
    site: Site,
    service: Deployment,
    archive: OrthancServer,
    job: dict[str, Any],
    series: list[FileDataset],
    box: PatientBox,
) -> None:
    """What was sent are the box's voxels, and what the archive has lies where the service's results lie."""
    notes = json.loads(site.run("show", job["key"]))["notes"]
    whole = convert_series(series)
    with Client(service.url) as client:
        row = client.job(notes["service_job"])
        sent = client.load(row.request.fixed)  # type: ignore[union-attr]
        labels, field = client.segmentation_result(row), client.field_result(row)
    assert isinstance(sent, Volume)
    assert sent.shape == expected_shape(STACK, box)
    assert (np.array(sent.shape) < whole.volume.shape).all()
    assert "voxels from" in notes["region"]
    offset = np.round(whole.volume.geometry.to_voxel(sent.geometry.to_world((0, 0, 0)))).astype(int)
    x, y, z = (slice(start, start + length) for start, length in zip(offset, sent.shape, strict=True))
    np.testing.assert_array_equal(sent.data, whole.volume.data[x, y, z])

    study = series[0].StudyInstanceUID
    made = {
        kind: next(one for one in stored(archive, kind) if one.StudyInstanceUID == study and is_result(one))
        for kind in ("SEG", "OT", "REG", "DOC")
    }
    segmentation = made["SEG"]
    assert (segmentation.Rows, segmentation.Columns) == (series[0].Rows, series[0].Columns)
    expected = labels.geometry.to_world(np.argwhere(labels.data > 0)) * LPS_AND_RAS
    found = labelled_places(segmentation)
    assert len(found) == len(expected) > 20
    assert cKDTree(found).query(expected)[0].max() < 1e-3
    named = {
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        for frame in segmentation.PerFrameFunctionalGroupsSequence
    }
    assert named <= {one.SOPInstanceUID for one in series}
    # The determinant lies on the slices that the crop lies on, a part of all.
    assert made["OT"].NumberOfFrames == sent.shape[1] < len(series)
    grid = read_registration(made["REG"]).field
    assert grid.geometry.matches(sent.geometry)
    np.testing.assert_array_equal(grid.displacement, field.displacement)


def labelled_places(segmentation: Dataset) -> npt.NDArray[np.float64]:
    """LPS mm of every labelled pixel, by each frame's own position."""
    shared = segmentation.SharedFunctionalGroupsSequence[0]
    down, across = (float(mm) for mm in shared.PixelMeasuresSequence[0].PixelSpacing)
    directions = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    places = []
    for pixels, frame in zip(segmentation.pixel_array, segmentation.PerFrameFunctionalGroupsSequence, strict=True):
        position = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        rows, columns = np.nonzero(pixels)
        places.append(position + np.outer(columns * across, directions[0]) + np.outer(rows * down, directions[1]))
    return np.concatenate(places)
