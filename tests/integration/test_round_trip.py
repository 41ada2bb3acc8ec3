"""Two of the examples through the service and back: what comes down is what the command line and other programs say."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from eigenwarp.field import DisplacementField, warp_segmentation
from eigenwarp.field.interpolation import inside
from eigenwarp.files import FieldFormat, field_from_bytes, read_field
from eigenwarp.schemas.components import ComponentTable
from eigenwarp.schemas.jobs import JobRow
from eigenwarp.schemas.projection import Projection
from eigenwarp.schemas.report import Report
from eigenwarp.schemas.requests import DEFAULT_OUTPUTS
from eigenwarp.volume.nifti import read_segmentation, read_volume, segmentation_from_bytes, volume_from_bytes
from tests.integration.deployment import PROGRAM
from tests.integration.http_calls import HttpCalls

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MOVING, FIXED = (EXAMPLES / "images" / f"synthetic_{number}.nii.gz" for number in (1, 2))
MOVING_LABELS, FIXED_LABELS = (EXAMPLES / "labels" / f"synthetic_{number}.nii.gz" for number in (1, 2))
# The same arithmetic in another process.
NEAR = 1e-4


@dataclass(frozen=True)
class Registered:
    """A registration that came back.

    Args:
        row: of its job.
        files: every result's bytes, by name.
    """

    row: JobRow
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def registered(calls: HttpCalls) -> Registered:
    """The moving example registered onto the fixed one, with their segmentations."""
    body = {
        "moving": calls.upload(MOVING),
        "fixed": calls.upload(FIXED),
        "moving_segmentation": calls.upload(MOVING_LABELS, "segmentation"),
        "fixed_segmentation": calls.upload(FIXED_LABELS, "segmentation"),
    }
    row = calls.succeeded(calls.submit("/register", body))
    return Registered(row, {result.name: calls.result(row, result.name) for result in row.results})


@pytest.fixture(scope="module")
def by_command_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the command line has written the same registration."""
    out = tmp_path_factory.mktemp("register")
    labels = ["--moving-segmentation", MOVING_LABELS, "--fixed-segmentation", FIXED_LABELS]
    _command("register", MOVING, FIXED, "--out", out, *labels)
    return out


def test_every_result_but_the_picture_is_handed_out(registered: Registered) -> None:
    assert set(registered.files) == set(DEFAULT_OUTPUTS)
    assert registered.row.attempt == 1
    assert registered.row.report == Report.model_validate_json(registered.files["report"])
    fixed, moving = read_volume(FIXED).geometry, read_volume(MOVING).geometry
    for name, geometry in (("warped", fixed), ("jacobian", fixed)):
        assert volume_from_bytes(registered.files[name]).geometry.matches(geometry), name
    assert field_from_bytes(registered.files["field"]).geometry.matches(fixed)
    assert field_from_bytes(registered.files["inverse_field"]).geometry.matches(moving)


def test_simpleitk_warps_the_original_segmentation_by_the_downloaded_field_as_the_service_did(
    registered: Registered, tmp_path: Path
) -> None:
    sitk = pytest.importorskip("SimpleITK")
    path = tmp_path / "field.nii.gz"
    path.write_bytes(registered.files["field"])
    transform = sitk.DisplacementFieldTransform(sitk.ReadImage(str(path), sitk.sitkVectorFloat64))
    moving, fixed = sitk.ReadImage(str(MOVING_LABELS)), sitk.ReadImage(str(FIXED))
    theirs = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform, sitk.sitkNearestNeighbor, 0.0))
    theirs = theirs.transpose(2, 1, 0)
    ours = _labels(registered.files)
    mask = _away_from_borders(field_from_bytes(registered.files["field"]))
    assert mask.sum() > 10_000
    assert np.mean(ours[mask] == theirs[mask]) >= 0.999
    # Most voxels are background; the labels themselves are to agree as well.
    for label in (1, 2):
        overlap = 2 * np.sum((ours == label) & (theirs == label) & mask)
        assert overlap / (np.sum((ours == label) & mask) + np.sum((theirs == label) & mask)) >= 0.999


def test_the_report_says_what_the_command_line_says(registered: Registered, by_command_line: Path) -> None:
    served = Report.model_validate_json(registered.files["report"])
    local = Report.model_validate_json((by_command_line / "report.json").read_bytes())
    assert [row.label for row in served.labels.rows] == [1, 2]
    for one, other in zip(served.labels.rows, local.labels.rows, strict=True):
        assert one.dice_before == pytest.approx(other.dice_before, abs=NEAR)
        assert one.dice_after == pytest.approx(other.dice_after, abs=NEAR)
    assert served.labels.mean_dice_after is not None
    assert served.labels.mean_dice_before is not None
    assert served.labels.mean_dice_after > served.labels.mean_dice_before
    assert served.coefficients is not None
    assert local.coefficients is not None
    np.testing.assert_allclose(served.coefficients.difference, local.coefficients.difference, rtol=NEAR, atol=NEAR)
    assert served.model == local.model


def test_the_files_are_those_of_the_command_line(registered: Registered, by_command_line: Path) -> None:
    for name in ("field", "inverse_field"):
        served = field_from_bytes(registered.files[name])
        local_field = read_field(by_command_line / f"{name}.nii.gz")
        np.testing.assert_allclose(served.displacement, local_field.displacement, atol=1e-3)
    for name in ("warped", "jacobian"):
        served_volume = volume_from_bytes(registered.files[name])
        local = read_volume(by_command_line / f"{name}.nii.gz")
        np.testing.assert_allclose(served_volume.data, local.data, atol=1e-3 * np.ptp(local.data))
    local_labels = read_segmentation(by_command_line / "warped_segmentation.nii.gz").data
    assert np.mean(_labels(registered.files) == local_labels) >= 0.999


def test_the_projection_is_the_command_line_s(calls: HttpCalls) -> None:
    served = calls.succeeded(calls.submit("/project", {"volume": calls.upload(MOVING)}))
    local = Projection.model_validate({**_projection_by_command_line(MOVING)})
    assert served.projection is not None
    assert served.projection.model == local.model
    np.testing.assert_allclose(served.projection.coefficients, local.coefficients, rtol=NEAR, atol=NEAR)
    np.testing.assert_allclose(served.projection.z_scores, local.z_scores, rtol=NEAR, atol=NEAR)
    assert served.projection.mahalanobis == pytest.approx(local.mahalanobis, rel=NEAR)
    assert served.projection.reconstruction_residual == pytest.approx(local.reconstruction_residual, rel=NEAR)
    downloaded = Projection.model_validate_json(calls.result(served, "coefficients"))
    assert downloaded.coefficients == served.projection.coefficients


def test_a_scan_in_one_call_is_projected_and_waited_for(calls: HttpCalls) -> None:
    answer = calls.http.post(
        "/project", files={"volume": ("scan.nii.gz", MOVING.read_bytes())}, headers={"Prefer": "wait=60"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["preference-applied"].startswith("wait")
    row = JobRow.model_validate_json(answer.content)
    assert row.state == "succeeded"
    assert row.projection is not None


def test_files_and_options_in_one_call_are_registered(calls: HttpCalls) -> None:
    files = {
        "moving": ("moving.nii.gz", MOVING.read_bytes()),
        "fixed": ("fixed.nii.gz", FIXED.read_bytes()),
        "moving_segmentation": ("labels.nii.gz", MOVING_LABELS.read_bytes()),
    }
    options = json.dumps({"outputs": ["warped_segmentation", "field"], "field_format": "ras"})
    answer = calls.http.post("/register", files=files, data={"options": options}, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    row = JobRow.model_validate_json(answer.content)
    assert row.state == "succeeded", row.problem
    assert {result.name for result in row.results} == {"warped_segmentation", "field"}
    field = field_from_bytes(calls.result(row, "field"), FieldFormat.RAS)
    warped = warp_segmentation(read_segmentation(MOVING_LABELS), field).data
    assert np.mean(warped == segmentation_from_bytes(calls.result(row, "warped_segmentation")).data) >= 0.999


def test_reconstructed_coefficients_deform_the_template(calls: HttpCalls) -> None:
    table = _table(calls)
    first = table.rows[0].standard_deviation
    row = calls.succeeded(calls.submit("/reconstruct", {"coefficients": [2 * first]}))
    assert {"field", "warped"} <= {result.name for result in row.results}
    field = field_from_bytes(calls.result(row, "field"))
    warped = volume_from_bytes(calls.result(row, "warped"))
    assert warped.geometry.matches(field.geometry)
    # From the template to a subject two standard deviations above the mean; the paper's figures go the other way.
    component = _deformation(calls, FieldFormat.ITK, k=1, scale=-2)
    np.testing.assert_allclose(field.displacement, component.displacement, atol=1e-3)


def test_the_table_of_components_is_the_command_line_s(calls: HttpCalls) -> None:
    served = _table(calls)
    local = ComponentTable.model_validate_json(_command("components", "--json"))
    assert served.model == local.model
    assert len(served.rows) == len(local.rows)
    for one, other in zip(served.rows, local.rows, strict=True):
        assert one.explained_variance_ratio == pytest.approx(other.explained_variance_ratio, rel=NEAR)
        assert one.motion.rms_mm == pytest.approx(other.motion.rms_mm, rel=1e-3)
    answer = calls.http.get("/components/2")
    assert answer.status_code == 200
    assert answer.json() == json.loads(served.rows[1].model_dump_json())


def test_a_component_s_deformation_is_one_in_all_formats(calls: HttpCalls, tmp_path: Path) -> None:
    fields = {format: _deformation(calls, format, k=2, scale=2) for format in FieldFormat}
    _command("component", "2", "--scale", "2", "--out", tmp_path / "field.nii.gz")
    local = read_field(tmp_path / "field.nii.gz")
    assert np.abs(local.displacement).max() > 0.1
    for format, field in fields.items():
        np.testing.assert_allclose(field.displacement, local.displacement, atol=2e-3, err_msg=format.value)


def test_a_volume_moves_along_a_component(calls: HttpCalls) -> None:
    body = {
        "volume": calls.upload(MOVING),
        "segmentation": calls.upload(MOVING_LABELS, "segmentation"),
        "scale": 2,
        "unit": "sd",
    }
    row = calls.succeeded(calls.submit("/components/1/warp", body))
    assert {result.name for result in row.results} == {"warped", "warped_segmentation", "field"}
    field = field_from_bytes(calls.result(row, "field"))
    warped = segmentation_from_bytes(calls.result(row, "warped_segmentation")).data
    original = read_segmentation(MOVING_LABELS)
    assert np.mean(warped == warp_segmentation(original, field).data) >= 0.999
    assert np.any(warped != original.data)


def _labels(files: dict[str, bytes]) -> npt.NDArray[np.uint16]:
    return segmentation_from_bytes(files["warped_segmentation"]).data


def _away_from_borders(field: DisplacementField) -> npt.NDArray[np.bool_]:
    """Two voxels from the fixed grid's border, and half a voxel within the moving image."""
    shape = field.geometry.shape
    inner = np.zeros(shape, dtype=np.bool_)
    inner[2:-2, 2:-2, 2:-2] = True
    moving = read_volume(MOVING).geometry
    x, y, z = moving.shape
    return inner & inside(field.voxels_on(moving) - 0.5, (x - 1, y - 1, z - 1)).reshape(shape)


def _table(calls: HttpCalls) -> ComponentTable:
    answer = calls.http.get("/components")
    assert answer.status_code == 200, answer.text
    return ComponentTable.model_validate_json(answer.content)


def _deformation(calls: HttpCalls, format: FieldFormat, k: int, scale: float) -> DisplacementField:
    query = {"scale": scale, "unit": "sd", "format": format.value}
    answer = calls.http.get(f"/components/{k}/deformation", params=query, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    template = volume_from_bytes((EXAMPLES.parent / "models" / "hippocampus" / "template.nii.gz").read_bytes()).geometry
    return field_from_bytes(answer.content, format, moving=template, fixed=template)


def _projection_by_command_line(path: Path) -> dict[str, object]:
    (document,) = json.loads(_command("project", path))
    return {name: value for name, value in document.items() if name != "volume"}


def _command(*arguments: str | Path) -> str:
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
