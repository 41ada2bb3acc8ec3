"""Real series and a real head through the published model: crops as they are, a head by the structure found in it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from scipy.ndimage import map_coordinates

from bridge.dicom.convert import convert_series
from eigenwarp.volume import Volume
from tests.bridge.nameless import require_nameless
from tests.bridge.phantom import classic_series, stack
from tests.bridge.site import Site, send, stored
from tests.integration.conftest import MODELS
from tests.integration.deployment import Deployment
from tests.servers.orthanc import OrthancServer
from tests.worker.localize.heads import LEFT, mni_head

RULES = r"""
[[rules]]
name = "crop"
refine = "none"
outputs = ["segmentation", "measurements", "jacobian", "registration", "report"]
[rules.match]
modality = ["MR"]
series_description = "^HippoCrop$"
# What the archive shows of these lies where their made-up positions say, beside no other series of the study.
[rules.conversion]
trust_synthetic_geometry = true

[[rules]]
name = "head"
refine = "none"
outputs = ["segmentation"]
[rules.match]
sop_class = ["1.2.840.10008.5.1.4.1.1.4"]
images = [80, 300]
[rules.localize]
structure = "hippocampus"
side = {tag = "SeriesDescription", left = "(?i)\\bleft\\b", right = "(?i)\\bright\\b"}
"""


@pytest.fixture(scope="module")
def published(service: Deployment) -> Deployment:
    """The service, with the hippocampus model as well."""
    service.run("models", "publish", str(MODELS / "hippocampus"))
    return service


def test_real_crops_get_their_labels_and_no_name_is_anywhere_else(
    new_site: Callable[..., Site], archive: OrthancServer, published: Deployment, dicom: Path
) -> None:
    site = new_site(published.url, archive, rules=RULES)
    site.start()
    series = {
        name: [dcmread(path) for path in sorted((dicom / f"{name}_hippocampus_crop").iterdir())]
        for name in ("study1", "study3")
    }
    for datasets in series.values():
        send(datasets, site.port)
    jobs = site.settled(2)
    assert [job["state"] for job in jobs] == ["confirmed", "confirmed"], [(job["code"], job["reason"]) for job in jobs]
    for datasets in series.values():
        (segmentation,) = _of(stored(archive, "SEG"), datasets[0])
        assert segmentation.PatientID == datasets[0].PatientID
        assert segmentation.AccessionNumber == datasets[0].AccessionNumber
        # A hippocampus has some 2 to 4.5 ml, and these are of 1 mm.
        assert 1500 < int(segmentation.pixel_array.sum()) < 5000
        assert len(_of(stored(archive, "DOC"), datasets[0])) == 1
    site.stop()
    needles = {
        str(one.get(name)) for (one, *_) in series.values() for name in ("PatientName", "PatientID", "AccessionNumber")
    }
    require_nameless(site, published, needles | {"Avasarala", "Dumbledore"})


def test_a_whole_head_gets_the_labels_of_the_side_that_it_names(
    new_site: Callable[..., Site], archive: OrthancServer, published: Deployment
) -> None:
    site = new_site(published.url, archive, rules=RULES, quiet_seconds=0.5)
    site.start()
    head = mni_head()
    left, unsaid = (_as_series(head.image, seed) for seed in ("left", "unsaid"))
    for dataset in left:
        dataset.SeriesDescription = "T1 left"
    for dataset in unsaid:
        dataset.SeriesDescription = "T1"
    send(left, site.port)
    send(unsaid, site.port)
    jobs = {job["state"]: job for job in site.settled(2)}
    assert "neither side: a side is never guessed" in jobs["skipped"]["reason"]
    assert "confirmed" in jobs, jobs
    (segmentation,) = stored(archive, "SEG")
    assert segmentation.StudyInstanceUID == left[0].StudyInstanceUID
    found = _centre_lps(segmentation)
    expected = head.hippocampi.geometry.to_world(np.argwhere(head.hippocampi.data == LEFT)).mean(axis=0) * [-1, -1, 1]
    assert found[0] > 10, "left of the patient is positive in LPS"
    assert np.linalg.norm(found - expected) < 5.0, (found, expected)


def _of(objects: list[Dataset], source: Dataset) -> list[Dataset]:
    return [one for one in objects if one.StudyInstanceUID == source.StudyInstanceUID]


def _as_series(image: Volume, seed: str) -> list[Dataset]:
    """A head as a scanner would send it, axial, 2 mm, a little oblique."""
    centre = tuple(float(mm) for mm in image.geometry.centre * [-1, -1, 1])
    grid = stack("axial", (4, -3, 6), (95, 120, 100), (2.0, 2.0), 2.0, centre)
    voxels = image.geometry.to_voxel(grid.points() * [-1, -1, 1])
    values = map_coordinates(image.data, np.moveaxis(voxels, -1, 0), order=1)
    scaled = np.round(values * (2000 / values.max())).astype(np.int16)
    series = classic_series(grid, scaled, seed=seed)
    assert convert_series(series).volume.shape == (100, 120, 95)
    return list(series)


def _centre_lps(segmentation: Dataset) -> np.ndarray:
    """Of all labelled pixels, mm."""
    shared = segmentation.SharedFunctionalGroupsSequence[0]
    spacing = [float(mm) for mm in shared.PixelMeasuresSequence[0].PixelSpacing]
    directions = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    points = []
    for pixels, frame in zip(segmentation.pixel_array, segmentation.PerFrameFunctionalGroupsSequence, strict=True):
        position = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        rows, columns = np.nonzero(pixels)
        points.append(
            position + np.outer(columns * spacing[1], directions[0]) + np.outer(rows * spacing[0], directions[1])
        )
    centre: np.ndarray = np.concatenate(points).mean(axis=0)
    return centre
