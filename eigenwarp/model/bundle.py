"""A model bundle: network, basis, template and where they come from, in one folder without a pickle."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file

from eigenwarp.basis import Basis
from eigenwarp.errors import BundleInvalidError, EigenwarpError
from eigenwarp.model.architecture import Architecture
from eigenwarp.model.network import RegistrationNetwork
from eigenwarp.preprocess import Preprocessing
from eigenwarp.schemas.manifest import FORMAT_VERSION, Manifest, Provenance, version_of
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.nifti import read_segmentation, read_volume, write_segmentation, write_volume

MANIFEST, WEIGHTS, BASIS = "model.json", "weights.safetensors", "basis.safetensors"
TEMPLATE, TEMPLATE_LABELS, CARD = "template.nii.gz", "template_labels.nii.gz", "README.md"


@dataclass(frozen=True, eq=False)
class Bundle:
    """What a folder under ``models/`` holds, loaded and checked.

    Args:
        manifest: ``model.json``.
        preprocessing: of every volume before the network sees it.
        network: on the CPU, in evaluation mode.
        basis: absent from a bundle that was exported without one.
        template: the cohort brought to its mean by the model itself and averaged, on the model's grid.
        template_segmentation: its labels.
    """

    manifest: Manifest
    preprocessing: Preprocessing
    network: RegistrationNetwork
    basis: Basis | None
    template: Volume | None
    template_segmentation: Segmentation | None

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def version(self) -> str:
        return self.manifest.version


def save_bundle(
    folder: Path,
    *,
    name: str,
    created: str,
    network: RegistrationNetwork,
    preprocessing: Preprocessing,
    labels: dict[str, int],
    provenance: Provenance,
    metrics: dict[str, dict[str, float]] | None = None,
    basis: Basis | None = None,
    template: Volume | None = None,
    template_segmentation: Segmentation | None = None,
    half_basis: bool = False,
) -> Manifest:
    """Write a bundle; its version is the hash of its files' hashes.

    Args:
        half_basis: keep the components as float16: half the size, each direction off by some 0.02 % of its length.

    Returns:
        The manifest written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}, folder / WEIGHTS)
    if basis is not None:
        arrays = {
            "mean": basis.mean,
            "components": basis.components,
            "variances": basis.variances,
            "total_variance": np.array([basis.total_variance]),
            "coefficients": basis.coefficients,
            "residuals": basis.residuals,
        }
        arrays |= {"coefficient_mean": basis.coefficient_mean, "coefficient_covariance": basis.coefficient_covariance}
        types = {"components": np.float16} if half_basis else {}
        kept = {k: np.ascontiguousarray(v, dtype=types.get(k, np.float32)) for k, v in arrays.items()}
        save_arrays(kept, folder / BASIS)
    if template is not None:
        write_volume(template, folder / TEMPLATE)
    if template_segmentation is not None:
        write_segmentation(template_segmentation, folder / TEMPLATE_LABELS)
    files = {
        file: _sha256(folder / file) for file in (WEIGHTS, BASIS, TEMPLATE, TEMPLATE_LABELS) if (folder / file).exists()
    }
    manifest = Manifest(
        name=name,
        version=version_of(files),
        created=created,
        architecture=network.architecture.to_dict(),
        preprocessing=preprocessing.to_dict(),
        labels=labels,
        provenance=provenance,
        metrics=metrics or {},
        files=files,
    )
    write_manifest(folder, manifest)
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``model.json`` alone, as after new measurements."""
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """Read and check ``model.json`` alone.

    Raises:
        BundleInvalidError: missing, not JSON, of another format version, or with wrong fields.
    """
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BundleInvalidError(f"{folder} is not a bundle: {MANIFEST} cannot be read ({error})") from error
    version = values.get("format") if isinstance(values, dict) else None
    if version != FORMAT_VERSION:
        raise BundleInvalidError(f"{path} has bundle format {version!r}, this release reads {FORMAT_VERSION}")
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise BundleInvalidError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def load_bundle(folder: Path) -> Bundle:
    """Load a bundle and check every file against its hash.

    Raises:
        BundleInvalidError: a file is missing, altered or does not fit the architecture; it is named.
    """
    manifest = read_manifest(folder)
    if WEIGHTS not in manifest.files:
        raise BundleInvalidError(f"{folder / MANIFEST} lists no {WEIGHTS}")
    for file, expected in manifest.files.items():
        if file not in (WEIGHTS, BASIS, TEMPLATE, TEMPLATE_LABELS):
            raise BundleInvalidError(f"{folder / MANIFEST} lists an unknown file {file!r}")
        path = folder / file
        if not path.is_file():
            raise BundleInvalidError(f"{path} is missing")
        found = _sha256(path)
        if found != expected:
            raise BundleInvalidError(f"{path} was altered: SHA-256 {found[:12]}…, the manifest has {expected[:12]}…")
    network, preprocessing = _read_network(folder, manifest)
    basis = _read_basis(folder / BASIS, network.architecture.code_length) if BASIS in manifest.files else None
    try:
        template = read_volume(folder / TEMPLATE) if TEMPLATE in manifest.files else None
        labels = read_segmentation(folder / TEMPLATE_LABELS) if TEMPLATE_LABELS in manifest.files else None
    except EigenwarpError as error:
        raise BundleInvalidError(f"{folder}: {TEMPLATE} and {TEMPLATE_LABELS} cannot be read: {error}") from error
    return Bundle(manifest, preprocessing, network, basis, template, labels)


def _read_network(folder: Path, manifest: Manifest) -> tuple[RegistrationNetwork, Preprocessing]:
    try:
        network = RegistrationNetwork(Architecture.from_dict(manifest.architecture))
        preprocessing = Preprocessing.from_dict(manifest.preprocessing)
    except EigenwarpError as error:
        raise BundleInvalidError(f"{folder / MANIFEST}: {error}") from error
    shape, classes = network.architecture.shape, network.architecture.segmentation_classes
    if preprocessing.shape != shape:
        raise BundleInvalidError(f"{folder / MANIFEST}: a grid of {preprocessing.shape} before a network for {shape}")
    if classes not in (0, len(manifest.labels)):
        raise BundleInvalidError(f"{folder / MANIFEST}: {len(manifest.labels)} labels, the network predicts {classes}")
    try:
        network.load_state_dict(load_file(folder / WEIGHTS))
    except (RuntimeError, SafetensorError) as error:
        raise BundleInvalidError(f"{folder / WEIGHTS} does not fit the architecture: {error}") from error
    network.eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last_3d), preprocessing  # type: ignore[call-overload]


def _read_basis(path: Path, length: int) -> Basis:
    try:
        arrays = load_arrays(path)
        basis = Basis(
            mean=arrays["mean"],
            components=arrays["components"].astype(np.float32, copy=False),
            variances=arrays["variances"],
            total_variance=float(arrays["total_variance"][0]),
            coefficients=arrays["coefficients"],
            residuals=arrays["residuals"],
        )
    except (KeyError, SafetensorError) as error:
        raise BundleInvalidError(f"{path}: {error}") from error
    if basis.mean.shape != (length,):
        raise BundleInvalidError(
            f"{path} is a basis of {basis.mean.shape[0]} dimensions, the network's codes have {length}"
        )
    return basis


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
