"""Published models, in the object store: put there once, then pinned by version, and taken from there by workers.

``models/<name>/<version>/<file>``, ``model.json`` last: a version whose ``model.json`` is there is whole.
``models/<name>/latest.json`` says which version a name alone means.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from pydantic import AwareDatetime, ValidationError

from eigenwarp.errors import BundleInvalidError, ModelUnknownError, ObjectUnknownError
from eigenwarp.schemas.components import ComponentTable
from eigenwarp.schemas.document import Document, ModelReference
from eigenwarp.schemas.manifest import Manifest, version_of
from eigenwarp.schemas.requests import DeformationRequest, FigureRequest
from eigenwarp.stores.objects import ObjectStore

MANIFEST: Final = "model.json"
COMPONENTS: Final = "components.json"
TEMPLATE: Final = "template.nii.gz"
TEMPLATE_LABELS: Final = "template_labels.nii.gz"
# Written after training; not part of what the version covers.
CARD: Final = "README.md"
_ROOT: Final = "models/"


@dataclass(frozen=True)
class PublishedModel:
    """One version of a model.

    Args:
        published_at: when its last file was written.
        latest: whether the name alone means this version.
    """

    reference: ModelReference
    manifest: Manifest
    published_at: datetime
    latest: bool


class _Latest(Document):
    """``latest.json``."""

    version: str
    published_at: AwareDatetime


class ModelStore:
    """Bundles in an object store.

    Every call raises ``StoreUnavailableError`` where the object store does not answer. What cannot change, the manifest
    and the components of a version, is read once and kept.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._manifests: dict[ModelReference, Manifest] = {}
        self._components: dict[ModelReference, ComponentTable] = {}

    def publish(self, folder: Path, components: ComponentTable, now: datetime | None = None) -> ModelReference:
        """Put a bundle there and let its name mean it. Doing so again changes nothing.

        Args:
            folder: a bundle's.
            components: what the basis' directions do, computed from that bundle.

        Raises:
            BundleInvalidError: a file is missing or altered, or the components are another model's.
        """
        manifest = _read_manifest((folder / MANIFEST), folder)
        reference = ModelReference(name=manifest.name, version=manifest.version)
        _require_whole(folder, manifest)
        if components.model != reference:
            raise BundleInvalidError(f"components of {_spelled(components.model)} for {_spelled(reference)}")
        for file in manifest.files:
            self._objects.put(_key(reference, file), folder / file)
        self._objects.put(_key(reference, COMPONENTS), components.model_dump_json().encode(), "application/json")
        if (folder / CARD).is_file():
            self._objects.put(_key(reference, CARD), folder / CARD, "text/markdown")
        self._objects.put(_key(reference, MANIFEST), folder / MANIFEST, "application/json")
        if self._latest(reference.name) != reference.version:
            latest = _Latest(version=reference.version, published_at=now or datetime.now(UTC))
            self._objects.put(_latest_key(reference.name), latest.model_dump_json().encode(), "application/json")
        return reference

    def list(self) -> list[PublishedModel]:
        """Every version of every model, by name; of each name the latest first."""
        found = [
            PublishedModel(
                reference,
                self.manifest(reference),
                published_at,
                latest=reference.version == self._latest(reference.name),
            )
            for reference, published_at in self._published()
        ]
        return sorted(found, key=lambda model: (model.reference.name, not model.latest, model.reference.version))

    def resolve(self, name: str) -> ModelReference:
        """``name``, which means the latest version, or ``name@version``.

        Raises:
            ModelUnknownError: not published; what is gets named.
        """
        bare, _, version = name.partition("@")
        version = version or self._latest(bare) or ""
        if version:
            reference = ModelReference(name=bare, version=version)
            try:
                self.manifest(reference)
                return reference
            except ModelUnknownError:
                pass
        known = ", ".join(sorted(_spelled(reference) for reference, _ in self._published())) or "none"
        raise ModelUnknownError(f"no published model {name!r}; published are: {known}")

    def manifest(self, reference: ModelReference) -> Manifest:
        """A version's description.

        Raises:
            ModelUnknownError: not published.
        """
        if reference not in self._manifests:
            content = self._get(reference, MANIFEST)
            self._manifests[reference] = _parse_manifest(content, _key(reference, MANIFEST))
        return self._manifests[reference]

    def components(self, reference: ModelReference) -> ComponentTable:
        """What each direction of a version's basis does.

        Raises:
            ModelUnknownError: not published.
        """
        if reference not in self._components:
            content = self._get(reference, COMPONENTS)
            self._components[reference] = ComponentTable.model_validate_json(content)
        return self._components[reference]

    def file(self, reference: ModelReference, file: str) -> tuple[str, str]:
        """Where one of a version's files lies in the object store, and its SHA-256.

        Raises:
            ModelUnknownError: not published, or without such a file.
        """
        digest = self.manifest(reference).files.get(file)
        if digest is None:
            raise ModelUnknownError(f"model {_spelled(reference)} has no {file}")
        return _key(reference, file), digest

    def fetch(self, reference: ModelReference, cache: Path) -> Path:
        """A local folder that holds the bundle, every file checked. Several processes may ask at the same time.

        Args:
            cache: where such folders are kept.

        Raises:
            ModelUnknownError: not published.
            BundleInvalidError: an object was altered.
        """
        folder = cache / "models" / reference.name / reference.version
        if folder.is_dir():
            try:
                _require_whole(folder, _read_manifest(folder / MANIFEST, folder))
                return folder
            except BundleInvalidError:
                shutil.rmtree(folder, ignore_errors=True)
        manifest = self.manifest(reference)
        folder.parent.mkdir(parents=True, exist_ok=True)
        arriving = Path(mkdtemp(prefix=f".{reference.version}.", dir=folder.parent))
        try:
            for file in (*manifest.files, MANIFEST):
                self._objects.fetch(_key(reference, file), arriving / file)
            _require_whole(arriving, manifest)
            try:
                os.rename(arriving, folder)
            except OSError:
                # Another process was faster: its folder holds the same.
                if not folder.is_dir():
                    raise
        except ObjectUnknownError as error:
            raise BundleInvalidError(f"{_spelled(reference)}: {error.detail}") from None
        finally:
            shutil.rmtree(arriving, ignore_errors=True)
        return folder

    def _latest(self, name: str) -> str | None:
        try:
            return _Latest.model_validate_json(self._objects.get(_latest_key(name))).version
        except ObjectUnknownError:
            return None

    def _published(self) -> Iterator[tuple[ModelReference, datetime]]:
        for found in self._objects.list(_ROOT):
            parts = found.key.split("/")
            if len(parts) == 4 and parts[3] == MANIFEST:
                yield ModelReference(name=parts[1], version=parts[2]), found.modified

    def _get(self, reference: ModelReference, file: str) -> bytes:
        try:
            return self._objects.get(_key(reference, file))
        except ObjectUnknownError:
            raise ModelUnknownError(f"no published model {_spelled(reference)!r}") from None


def derived_key(reference: ModelReference, request: DeformationRequest | FigureRequest) -> str:
    """Where what a version's basis gives is kept once it was made: a component's field or picture."""
    # −0.0 and 0.0 are one scale.
    name = f"{request.kind}_{request.component}_{request.scale + 0.0!r}_{request.unit}"
    suffix = f"_{request.field_format}.nii.gz" if isinstance(request, DeformationRequest) else ".png"
    return _key(reference, f"derived/{name}{suffix}")


def _key(reference: ModelReference, file: str) -> str:
    return f"{_ROOT}{reference.name}/{reference.version}/{file}"


def _latest_key(name: str) -> str:
    return f"{_ROOT}{name}/latest.json"


def _spelled(reference: ModelReference) -> str:
    return f"{reference.name}@{reference.version}"


def _read_manifest(path: Path, folder: Path) -> Manifest:
    try:
        return _parse_manifest(path.read_bytes(), str(path))
    except OSError as error:
        raise BundleInvalidError(f"{folder} is not a bundle: {MANIFEST} cannot be read ({error.strerror})") from None


def _parse_manifest(content: bytes, where: str) -> Manifest:
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise BundleInvalidError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _require_whole(folder: Path, manifest: Manifest) -> None:
    """Every file has the hash that the manifest gives, and the hashes give the version."""
    if version_of(manifest.files) != manifest.version:
        raise BundleInvalidError(f"{folder}: version {manifest.version} is not that of its files")
    for file, expected in manifest.files.items():
        if Path(file).name != file:
            raise BundleInvalidError(f"{folder / MANIFEST} lists {file!r}, which is no file's name")
        try:
            with (folder / file).open("rb") as content:
                found = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as error:
            raise BundleInvalidError(f"{folder / file}: {error.strerror}") from None
        if found != expected:
            raise BundleInvalidError(f"{folder / file} was altered: SHA-256 {found[:12]}…, expected {expected[:12]}…")
