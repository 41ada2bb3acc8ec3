"""Every call of the client, against the service itself."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.client import Client
from eigenwarp.errors import (
    ComponentOutOfRangeError,
    FileUnreadableError,
    JobFinishedError,
    JobUnknownError,
    LabelsNotIntegerError,
    ModelUnknownError,
    OptionInvalidError,
    ResultUnknownError,
    SegmentationGeometryError,
    ServiceError,
    SubjectUnknownError,
    VolumeInUseError,
    VolumeNotNiftiError,
    VolumeUnknownError,
)
from eigenwarp.field import warp_segmentation, warp_volume
from eigenwarp.schemas.jobs import JobEvent, ResultRow
from eigenwarp.schemas.report import Report
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.nifti import segmentation_to_bytes, volume_to_bytes, write_volume
from tests.client.proxy import Proxy
from tests.integration.deployment import Deployment
from tests.integration.work import hold_a_worker
from tests.tiny_bundle import COMPONENTS, blob

MOVING, MOVING_LABELS = blob(1)
FIXED, FIXED_LABELS = blob(2)


def test_a_volume_is_the_same_from_a_file_from_bytes_and_from_memory(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "Jane_Doe_1970.nii"
    write_volume(MOVING, path)
    rows = [client.upload(source) for source in (MOVING, path, str(path), volume_to_bytes(MOVING))]
    assert len({row.id for row in rows}) == 1
    assert client.upload(rows[0]) == client.upload(rows[0].id) == client.volume(rows[0].id)
    loaded = client.load(rows[0].id)
    assert isinstance(loaded, Volume)
    assert np.array_equal(loaded.data, MOVING.data)


def test_a_files_own_name_never_leaves(client: Client, proxy: Proxy, tmp_path: Path) -> None:
    path = tmp_path / "Jane_Doe_1970.nii.gz"
    write_volume(MOVING, path)
    client.upload(path)
    assert not proxy.heads(b"Jane")


def test_a_segmentation_is_one_of_itself_or_when_told(client: Client) -> None:
    row = client.upload(MOVING_LABELS)
    assert row.kind == "segmentation"
    assert client.upload(segmentation_to_bytes(MOVING_LABELS), "segmentation").id == row.id
    loaded = client.load(row.id)
    assert isinstance(loaded, Segmentation)
    assert np.array_equal(loaded.data, MOVING_LABELS.data)


def test_a_registration_comes_back_whole(client: Client, tmp_path: Path) -> None:
    events: list[JobEvent] = []
    job = client.register(
        MOVING,
        FIXED,
        moving_segmentation=MOVING_LABELS,
        fixed_segmentation=FIXED_LABELS,
        field_format="ras",
        progress=events.append,
    )
    assert job.report is not None
    assert job.report.labels.mean_dice_after is not None
    assert events[-1].state == "succeeded"
    field = client.field_result(job)
    assert np.allclose(client.volume_result(job).data, warp_volume(MOVING, field).data, atol=1e-2)
    assert np.array_equal(client.segmentation_result(job).data, warp_segmentation(MOVING_LABELS, field).data)
    files = client.download(job, tmp_path / "new")
    assert {name: path.name for name, path in files.items()} == {
        "field": "field.nii.gz",
        "inverse_field": "inverse_field.nii.gz",
        "warped": "warped.nii.gz",
        "warped_segmentation": "warped_segmentation.nii.gz",
        "jacobian": "jacobian.nii.gz",
        "report": "report.json",
    }
    assert {path.name for path in (tmp_path / "new").iterdir()} == {path.name for path in files.values()}
    assert Report.model_validate_json(files["report"].read_bytes()) == job.report
    assert files["field"].read_bytes() == client.result(job.id, "field")


def test_only_the_outputs_and_files_asked_for(client: Client, tmp_path: Path) -> None:
    job = client.register(MOVING, FIXED, outputs=("field", "jacobian"), components=2, alignment="world")
    assert {row.name for row in job.results} == {"field", "jacobian"}
    assert list(client.download(job, tmp_path, ["jacobian"])) == ["jacobian"]
    assert [path.name for path in tmp_path.iterdir()] == ["jacobian.nii.gz"]
    with pytest.raises(ResultUnknownError, match="no result 'warped'; it has"):
        client.result(job, "warped")


def test_the_picture_of_an_explanation(client: Client, tmp_path: Path) -> None:
    job = client.register(MOVING, FIXED, outputs=("explanation", "report"))
    files = client.download(job, tmp_path)
    assert {name: path.name for name, path in files.items()} == {
        "explanation": "explanation.png",
        "report": "report.json",
    }
    assert files["explanation"].read_bytes().startswith(b"\x89PNG")
    assert job.report is not None
    assert job.report.explanation is not None
    assert job.report.explanation.motion is not None


def test_a_subjects_history_and_its_erasure(client: Client) -> None:
    when = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    row = client.upload(FIXED, subject="client-1", acquired_at=when)
    assert (row.subject, row.acquired_at) == ("client-1", when)
    job = client.project(row, subject="client-1", acquired_at=when)
    assert job.projection is not None
    assert len(job.projection.coefficients) == COMPONENTS
    history = client.history("client-1")
    assert [(found.job, found.acquired_at) for found in history.rows] == [(job.id, when)]
    assert client.history_csv("client-1").count("\n") == 2
    assert client.erase("client-1").coefficients == 1
    with pytest.raises(SubjectUnknownError):
        client.history("client-1")
    with pytest.raises(JobUnknownError):
        client.job(job)


def test_reconstruction_and_warp(client: Client) -> None:
    coefficients = client.project(MOVING).projection
    assert coefficients is not None
    made = client.reconstruct(coefficients.coefficients)
    assert {"field", "warped"} <= {row.name for row in made.results}
    moved = client.warp(1, MOVING, scale=2.0, segmentation=MOVING_LABELS)
    field = client.field_result(moved)
    assert np.abs(field.displacement).max() > 0.01
    assert np.allclose(client.volume_result(moved).data, warp_volume(MOVING, field).data, atol=1e-2)


def test_the_basis(client: Client) -> None:
    table = client.components()
    assert [row.component for row in table.rows] == list(range(1, COMPONENTS + 1))
    assert client.component_row(2) == table.rows[1]
    pinned = f"{table.model.name}@{table.model.version}"
    assert client.components(pinned) == table
    there = client.component_field(1, scale=1.5)
    back = client.component_field(1, scale=-1.5, model=pinned)
    assert np.abs(there.displacement).max() > 0.01
    assert not np.allclose(there.displacement, back.displacement)
    assert client.component_figure(1, scale=1.0).startswith(b"\x89PNG")
    rows = client.models()
    assert (table.model.name, table.model.version) in {(row.name, row.version) for row in rows}
    assert client.model(table.model.name, table.model.version).provenance.data == "synthetic blobs"


def test_jobs_are_listed_over_pages(client: Client) -> None:
    row = client.upload(MOVING)
    begun = datetime.now(UTC)
    made = {client.project(row, wait=False).id for _ in range(60)}
    listed = [job.id for job in client.jobs(kind="project", created_after=begun)]
    assert len(listed) == 60, "more than one page"
    assert set(listed) == made
    for job in made:
        client.wait(job)
    assert not list(client.jobs(state="queued", created_after=begun))


def test_events_from_the_beginning_to_the_end(client: Client) -> None:
    job = client.register(MOVING, FIXED, wait=False)
    states = [event.state for event in client.events(job)]
    assert states[-1] == "succeeded"
    assert "running" in states
    assert [event.state for event in client.events(job.id)][-1] == "succeeded"


def test_a_waiting_job_is_cancelled_and_keeps_its_volumes_meanwhile(client: Client, service: Deployment) -> None:
    row = client.upload(blob(31)[0])
    held = hold_a_worker(service, 30.0)
    job = client.project(row, wait=False)
    with pytest.raises(VolumeInUseError):
        client.delete_volume(row.id)
    assert client.cancel(job).state == "cancelled"
    assert client.cancel(job).state == "cancelled"
    client.cancel(held)
    client.delete_volume(row.id)
    with pytest.raises(VolumeUnknownError):
        client.volume(row.id)


def test_what_the_service_refuses_is_the_error_that_a_local_call_would_raise(client: Client, tmp_path: Path) -> None:
    with pytest.raises(VolumeNotNiftiError):
        client.upload(b"no image")
    with pytest.raises(LabelsNotIntegerError):
        client.upload(MOVING, "segmentation")
    with pytest.raises(FileUnreadableError, match=r"absent\.nii: No such file"):
        client.upload(tmp_path / "absent.nii")
    with pytest.raises(VolumeUnknownError):
        client.project("sha256:" + 64 * "0")
    with pytest.raises(ModelUnknownError, match="tiny@"):
        client.project(MOVING, model="no-such-model")
    with pytest.raises(ComponentOutOfRangeError):
        client.component(COMPONENTS + 1)
    with pytest.raises(JobUnknownError):
        client.wait("job_" + 32 * "0")
    with pytest.raises(SegmentationGeometryError):
        client.register(MOVING, FIXED, moving_segmentation=_cut(MOVING_LABELS))
    finished = client.project(MOVING)
    with pytest.raises(JobFinishedError):
        client.cancel(finished)


def test_a_value_out_of_range_is_refused_before_anything_is_sent(client: Client, proxy: Proxy) -> None:
    held = client.upload(MOVING)
    with pytest.raises(OptionInvalidError, match=r"options\.components"):
        client.register(held, held, components=0)
    with pytest.raises(OptionInvalidError, match="time zone"):
        client.upload(MOVING, acquired_at=datetime(2026, 1, 1))
    assert not proxy.heads(b"POST /register")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(OptionInvalidError, match="http://host:port"):
        Client(url)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "FIELD", "a/b"])
def test_a_results_name_cannot_lead_out_of_the_folder(client: Client, tmp_path: Path, name: str) -> None:
    job = client.project(MOVING)
    evil = job.results[0].model_copy(update={"name": name})
    with pytest.raises(ServiceError, match="names a result"):
        client.download(job.model_copy(update={"results": (evil,)}), tmp_path / "folder")
    assert not list(tmp_path.iterdir())


def test_coefficients_are_a_document(client: Client) -> None:
    job = client.project(MOVING)
    (result,) = job.results
    assert isinstance(result, ResultRow)
    assert job.projection is not None
    assert json.loads(client.result(job, "coefficients"))["coefficients"] == job.projection.coefficients


def _cut(labels: Segmentation) -> Segmentation:
    """Without its last plane."""
    x, y, z = labels.shape
    return Segmentation(labels.data[:-1], Geometry((x - 1, y, z), labels.geometry.affine))
