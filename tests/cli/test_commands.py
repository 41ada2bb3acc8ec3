"""The console script, run as a shell runs it."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.field import warp_volume
from eigenwarp.files import FieldFormat, read_field
from eigenwarp.volume.nifti import read_segmentation, read_volume, write_segmentation, write_volume
from tests.tiny_bundle import COMPONENTS, blob

Result = subprocess.CompletedProcess[str]


def eigenwarp(*arguments: object, models: Path | None = None, **settings: str) -> Result:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EIGENWARP_")} | settings
    environment["COLUMNS"] = "200"
    if models is not None:
        environment["EIGENWARP_MODELS"] = str(models)
    return subprocess.run(
        [sys.executable, "-c", "from eigenwarp_cli.main import app; app(prog_name='eigenwarp')", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two subjects."""
    folder = tmp_path_factory.mktemp("pair")
    for part in ("images", "labels"):
        (folder / part).mkdir()
    for name, seed in (("first", 1), ("second", 2)):
        volume, labels = blob(seed)
        write_volume(volume, folder / "images" / f"{name}.nii.gz")
        write_segmentation(labels, folder / "labels" / f"{name}.nii.gz")
    return folder


def test_register_writes_everything_and_the_field_moves_the_original(
    pair: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    moving, fixed = (pair / "images" / f"{name}.nii.gz" for name in ("first", "second"))
    out = tmp_path / "new" / "results"
    done = eigenwarp(
        "register",
        moving,
        fixed,
        "--out",
        out,
        "--model",
        "tiny",
        "--field-format",
        "ras",
        "--moving-segmentation",
        pair / "labels" / "first.nii.gz",
        "--fixed-segmentation",
        pair / "labels" / "second.nii.gz",
        models=tiny_bundle.parent,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.iterdir()} == {
        "field.nii.gz",
        "inverse_field.nii.gz",
        "warped.nii.gz",
        "warped_segmentation.nii.gz",
        "jacobian.nii.gz",
        "report.json",
        "explanation.png",
    }
    assert (out / "explanation.png").read_bytes().startswith(b"\x89PNG")
    field = read_field(out / "field.nii.gz", FieldFormat.RAS)
    again = warp_volume(read_volume(moving), field)
    assert np.allclose(again.data, read_volume(out / "warped.nii.gz").data, atol=1e-2)
    report = json.loads((out / "report.json").read_text())
    assert report["model"]["name"] == "tiny"
    assert report["labels"]["mean_dice_after"] is not None
    assert "Dice head" in done.stdout
    assert report["explanation"]["description"] in " ".join(done.stdout.split())
    assert str(out) in done.stdout


def test_project_prints_json_and_csv(pair: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    volumes = sorted((pair / "images").iterdir())
    done = eigenwarp("project", *volumes, "--model", tiny_bundle)
    assert done.returncode == 0, done.stderr
    documents = json.loads(done.stdout)
    assert [document["volume"] for document in documents] == [str(path) for path in volumes]
    done = eigenwarp("project", *volumes, "--model", tiny_bundle, "--csv", tmp_path / "a.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    found = [[float(row[f"a_{k}"]) for k in range(1, COMPONENTS + 1)] for row in rows]
    assert found == [document["coefficients"] for document in documents]


def test_a_components_field_and_the_list_of_components(tiny_bundle: Path, tmp_path: Path) -> None:
    done = eigenwarp("component", 2, "--scale", -1.5, "--out", tmp_path / "c.nii.gz", "--model", tiny_bundle)
    assert done.returncode == 0, done.stderr
    assert np.abs(read_field(tmp_path / "c.nii.gz").displacement).max() > 0.1
    done = eigenwarp("components", "--json", "--model", tiny_bundle)
    assert len(json.loads(done.stdout)["rows"]) == COMPONENTS


def test_a_change_between_two_scans_is_told_apart_from_noise(pair: Path, tiny_bundle: Path) -> None:
    first, second = sorted((pair / "images").iterdir())
    options = ("--model", tiny_bundle, "--components", COMPONENTS, "--repeats", 6)
    same = json.loads(eigenwarp("change", first, first, *options, "--json").stdout)
    assert (same["exceeds_noise"], same["distance_squared"], same["p_value"]) == (False, 0.0, 1.0)
    other = eigenwarp("change", first, second, *options, "--level", 0.5)
    assert other.returncode == 0, other.stderr
    assert "standard deviations of noise: component" in other.stdout
    few = eigenwarp("change", first, second, "--model", tiny_bundle, "--components", COMPONENTS, "--repeats", 2)
    assert (few.returncode, few.stdout) == (2, "")
    assert "2 repeats of two scans are too few" in few.stderr


def test_segment_writes_labels_on_the_volumes_grid(pair: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    volume = pair / "images" / "first.nii.gz"
    done = eigenwarp("segment", volume, "--out", tmp_path / "s.nii.gz", "--model", tiny_bundle)
    assert done.returncode == 0, done.stderr
    read_segmentation(tmp_path / "s.nii.gz").require_grid_of(read_volume(volume))
    assert "mm³" in done.stdout


def test_models_lists_what_the_setting_names(tiny_bundle: Path) -> None:
    rows = json.loads(eigenwarp("models", "--json", models=tiny_bundle.parent).stdout)
    assert "tiny" in [row["name"] for row in rows]


def test_demo_draws_the_given_pair(pair: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    done = eigenwarp("demo", "--out", tmp_path, "--model", tiny_bundle, EIGENWARP_DATA=str(pair))
    assert done.returncode == 0, done.stderr
    assert f"all subjects of {pair}: first onto second" in done.stdout
    for folder in ("feed-forward", "field-refined"):
        assert (tmp_path / folder / "registration.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / folder / "report.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("register", "absent.nii.gz", "b.nii.gz", "--out", "x"), "absent.nii.gz: No such file"),
        (("component", "1", "--out", "field.png"), "must end in .nii or .nii.gz"),
        (("components", "--model", "no-such-model"), "no model 'no-such-model'"),
        (("train", "no-such-preset", "--run", "x"), "neither a file nor a preset"),
        (("train", "hippocampus", "--run", "x", "--set", "loss.dise=2"), "no 'loss.dise'"),
        (("demo", "--data", "/no/such/folder"), "/no/such/folder is not a folder"),
        (("project", "a.nii.gz", "--localize", "hippocampus"), "--side is missing"),
        (("register", "a.nii.gz", "b.nii.gz", "--out", "x", "--side", "left"), "--localize is missing"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = eigenwarp(*arguments, HOME=str(tmp_path))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("eigenwarp: error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_loads_neither_torch_nor_numpy() -> None:
    script = (
        "import sys\nfrom eigenwarp_cli.main import app\n"
        "try:\n    app(['--help'], prog_name='eigenwarp')\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(sorted({'torch', 'numpy', 'scipy', 'nibabel', 'pydantic', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert "register" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_cohort_is_made_and_a_network_trained_on_it_with_changed_settings(tmp_path: Path) -> None:
    data, run = tmp_path / "blobs", tmp_path / "run"
    assert eigenwarp("synthesize", "--out", data, "--subjects", 10).returncode == 0
    small = (
        "architecture.channels=[4, 8]",
        "architecture.latent_channels=4",
        "architecture.shape=[32, 32, 32]",
        "preprocessing.shape=[32, 32, 32]",
        "precision=float32",
    )
    done = eigenwarp(
        "train", "hippocampus", "--run", run, "--data", data, "--steps", 2, *(a for s in small for a in ("--set", s))
    )
    assert done.returncode == 0, done.stderr
    assert "step 2" in done.stdout
    done = eigenwarp(
        "export", run, "--data", data, "--out", tmp_path / "bundle", "--components", 3, "--data-name", "blobs"
    )
    assert done.returncode == 0, done.stderr
    done = eigenwarp("evaluate", "--model", tmp_path / "bundle", "--data", data, "--refine", "none", "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"unregistered", "none"}
