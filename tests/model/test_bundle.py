import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file

from eigenwarp.errors import BundleInvalidError
from eigenwarp.model.bundle import load_bundle, read_manifest, save_bundle, write_manifest
from eigenwarp.preprocess import Preprocessing
from eigenwarp.schemas.manifest import Manifest
from tests.model.networks import SHAPE, small_network
from tests.tiny_bundle import LABELS, blob, write_tiny_bundle

FILES = ["weights.safetensors", "basis.safetensors", "template.nii.gz", "template_labels.nii.gz"]


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "tiny"))


def rewrite(bundle: Path, change: Callable[[dict[str, object]], object]) -> None:
    values = json.loads((bundle / "model.json").read_text())
    change(values)
    (bundle / "model.json").write_text(json.dumps(values))


def vouch_for(bundle: Path, file: str) -> None:
    """Put a file's present hash into the manifest, as whoever swaps a file on purpose would."""
    digest = hashlib.sha256((bundle / file).read_bytes()).hexdigest()
    rewrite(bundle, lambda values: values["files"].update({file: digest}))  # type: ignore[attr-defined]


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    network = small_network(segmentation_classes=2)
    template, labels = blob(3)
    provenance = read_manifest(write_tiny_bundle(tmp_path / "other")).provenance
    written = save_bundle(
        tmp_path / "one",
        name="one",
        created="2026-01-01T00:00:00Z",
        network=network,
        preprocessing=Preprocessing(shape=SHAPE, clip=4.0),
        labels=LABELS,
        provenance=provenance,
        metrics={"none": {"dice": 0.5}},
        template=template,
        template_segmentation=labels,
    )
    loaded = load_bundle(tmp_path / "one")
    assert loaded.manifest == written
    assert (loaded.name, loaded.version) == ("one", written.version)
    assert loaded.preprocessing == Preprocessing(shape=SHAPE, clip=4.0)
    assert loaded.network.architecture == network.architecture
    assert loaded.basis is None
    for name, value in network.state_dict().items():
        assert torch.equal(value, loaded.network.state_dict()[name]), name
    assert not loaded.network.training
    assert not any(parameter.requires_grad for parameter in loaded.network.parameters())
    assert loaded.template is not None
    assert loaded.template_segmentation is not None
    np.testing.assert_array_equal(loaded.template.data, template.data)
    np.testing.assert_array_equal(loaded.template_segmentation.data, labels.data)
    assert loaded.template.geometry.matches(template.geometry)


def test_the_basis_comes_back(tiny_bundle: Path) -> None:
    basis, stored = load_bundle(tiny_bundle).basis, load_arrays(tiny_bundle / "basis.safetensors")
    assert basis is not None
    for name in ("mean", "components", "variances", "coefficients", "residuals"):
        np.testing.assert_array_equal(getattr(basis, name), stored[name])
    assert basis.total_variance == stored["total_variance"][0]
    np.testing.assert_allclose(basis.coefficient_covariance, stored["coefficient_covariance"], rtol=1e-4, atol=1e-6)


def test_a_basis_kept_in_half_is_half_as_large_and_hardly_turned(tiny_bundle: Path, tmp_path: Path) -> None:
    whole = load_bundle(tiny_bundle)
    assert whole.basis is not None
    save_bundle(
        tmp_path / "half",
        name="half",
        created="2026-01-01T00:00:00Z",
        network=whole.network,
        preprocessing=whole.preprocessing,
        labels=whole.manifest.labels,
        provenance=whole.manifest.provenance,
        basis=whole.basis,
        half_basis=True,
    )
    half = load_bundle(tmp_path / "half").basis
    assert half is not None
    assert load_arrays(tmp_path / "half" / "basis.safetensors")["components"].dtype == np.float16
    assert half.components.dtype == np.float32
    off = np.linalg.norm(half.components - whole.basis.components, axis=1)
    assert 0 < off.max() < 5e-4
    np.testing.assert_array_equal(half.mean, whole.basis.mean)


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    one, same = (read_manifest(write_tiny_bundle(tmp_path / name)).version for name in ("one", "same"))
    assert one == same
    assert read_manifest(write_tiny_bundle(tmp_path / "other", with_basis=False)).version != one


def test_new_measurements_leave_the_version(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    write_manifest(bundle, manifest.model_copy(update={"metrics": {"field": {"dice": 0.9}}}))
    again = load_bundle(bundle)
    assert again.manifest.metrics == {"field": {"dice": 0.9}}
    assert again.version == manifest.version


@pytest.mark.parametrize("file", FILES)
def test_an_altered_file_is_refused_by_name(file: str, bundle: Path) -> None:
    content = bytearray((bundle / file).read_bytes())
    content[-1] ^= 1
    (bundle / file).write_bytes(content)
    with pytest.raises(BundleInvalidError, match=f"{file} was altered"):
        load_bundle(bundle)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_refused_by_name(file: str, bundle: Path) -> None:
    (bundle / file).unlink()
    with pytest.raises(BundleInvalidError, match=f"{file} is missing"):
        load_bundle(bundle)


def test_a_folder_without_a_manifest_is_refused(bundle: Path) -> None:
    (bundle / "model.json").unlink()
    with pytest.raises(BundleInvalidError, match=r"model\.json cannot be read"):
        load_bundle(bundle)


@pytest.mark.parametrize("text", ["", "{", "\x00", "[1]", "null"])
def test_a_manifest_that_is_no_json_object_is_refused(text: str, bundle: Path) -> None:
    (bundle / "model.json").write_text(text)
    with pytest.raises(BundleInvalidError, match=r"model\.json"):
        load_bundle(bundle)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_an_unknown_format_version_is_refused(version: object, bundle: Path) -> None:
    rewrite(bundle, lambda values: values.update(format=version))
    with pytest.raises(BundleInvalidError, match=f"bundle format {version!r}, this release reads 1"):
        load_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda values: values.update(pickle="x"), "pickle"),
        (lambda values: values["provenance"].update(author="x"), "provenance.author"),
        (lambda values: values.pop("labels"), "labels"),
        (lambda values: values.update(labels=["head"]), "labels"),
        (lambda values: values.update(name="../tiny"), "name"),
        (lambda values: values.update(version="1"), "version"),
        (lambda values: values["files"].update({"../../etc/passwd": "0"}), "etc/passwd"),
        (lambda values: values["files"].pop("weights.safetensors"), "weights.safetensors"),
        (lambda values: values["architecture"].update(depth=3), "depth"),
        (lambda values: values["architecture"].update(channels="many"), "architecture"),
        (lambda values: values["architecture"].update(shape=[15, 16, 16]), "15, 16, 16"),
        (lambda values: values["preprocessing"].update(clip=-1), "clip"),
        (lambda values: values["preprocessing"].pop("clip"), "clip"),
        (lambda values: values["preprocessing"].update(shape=[32, 16, 16]), r"32, 16, 16.*16, 16, 16"),
        (lambda values: values["labels"].pop("head"), "1 labels.*2"),
    ],
)
def test_a_manifest_with_wrong_fields_is_refused(
    change: Callable[[dict[str, object]], object], named: str, bundle: Path
) -> None:
    rewrite(bundle, change)
    with pytest.raises(BundleInvalidError, match=named):
        load_bundle(bundle)


@pytest.mark.parametrize("change", [{"channels": [4, 12]}, {"latent_channels": 5}, {"segmentation_classes": 0}])
def test_weights_of_another_architecture_are_refused(change: dict[str, object], bundle: Path) -> None:
    rewrite(bundle, lambda values: values["architecture"].update(change))  # type: ignore[attr-defined]
    with pytest.raises(BundleInvalidError, match=r"weights\.safetensors"):
        load_bundle(bundle)


def test_a_basis_of_another_length_is_refused(bundle: Path) -> None:
    arrays = load_arrays(bundle / "basis.safetensors")
    length = arrays["mean"].shape[0]
    arrays["mean"] = np.append(arrays["mean"], np.float32(0))
    arrays["components"] = np.pad(arrays["components"], ((0, 0), (0, 1)))
    save_arrays(arrays, bundle / "basis.safetensors")
    vouch_for(bundle, "basis.safetensors")
    with pytest.raises(BundleInvalidError, match=rf"basis\.safetensors.* {length + 1} dimensions.* {length}"):
        load_bundle(bundle)


def test_a_basis_without_one_of_its_arrays_is_refused(bundle: Path) -> None:
    arrays = load_arrays(bundle / "basis.safetensors")
    del arrays["residuals"]
    save_arrays(arrays, bundle / "basis.safetensors")
    vouch_for(bundle, "basis.safetensors")
    with pytest.raises(BundleInvalidError, match=r"basis\.safetensors.*residuals"):
        load_bundle(bundle)


class _Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("file", ["weights.safetensors", "basis.safetensors"])
@pytest.mark.parametrize("dump", [lambda value, path: path.write_bytes(pickle.dumps(value)), torch.save])
def test_a_pickle_is_never_opened(
    file: str, dump: Callable[[object, Path], object], bundle: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    dump(_Payload(trace), bundle / file)
    vouch_for(bundle, file)
    with pytest.raises(BundleInvalidError, match=file):
        load_bundle(bundle)
    assert not trace.exists()


@pytest.mark.parametrize("file", ["template.nii.gz", "template_labels.nii.gz"])
def test_a_template_that_is_no_volume_is_refused(file: str, bundle: Path) -> None:
    (bundle / file).write_bytes(b"not a volume")
    vouch_for(bundle, file)
    with pytest.raises(BundleInvalidError, match=file):
        load_bundle(bundle)


def test_weights_that_are_no_tensors_of_the_network_are_refused(bundle: Path) -> None:
    save_file({"x": torch.zeros(1)}, bundle / "weights.safetensors")
    vouch_for(bundle, "weights.safetensors")
    with pytest.raises(BundleInvalidError, match=r"weights\.safetensors"):
        load_bundle(bundle)


def test_a_bundle_holds_tensors_text_and_volumes_alone(tiny_bundle: Path) -> None:
    manifest = read_manifest(tiny_bundle)
    assert isinstance(manifest, Manifest)
    assert {path.name for path in tiny_bundle.iterdir()} == {"model.json", *FILES}
    assert set(manifest.files) == set(FILES)
