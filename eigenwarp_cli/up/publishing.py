"""Which local bundles a service does not have yet. Looks at their manifests alone, so that no torch is loaded."""

from pathlib import Path

from eigenwarp.errors import ModelUnknownError
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.manifest import Manifest
from eigenwarp.settings import Settings, model_folders
from eigenwarp.stores.models import MANIFEST, ModelStore
from eigenwarp.stores.objects import open_object_store


def unpublished_bundles(settings: Settings) -> list[Path]:
    """Folders of bundles whose version is not in the object store, of each name the first found.

    Raises:
        StoreUnavailableError: the object store does not answer.
    """
    objects = open_object_store(settings)
    try:
        published = ModelStore(objects)
        return [folder for folder, reference in _local_bundles() if not _is_published(published, reference)]
    finally:
        objects.close()


def _local_bundles() -> list[tuple[Path, ModelReference]]:
    found: dict[str, tuple[Path, ModelReference]] = {}
    for folder in model_folders():
        for path in sorted(folder.glob(f"*/{MANIFEST}")):
            try:
                manifest = Manifest.model_validate_json(path.read_bytes())
            except (OSError, ValueError):
                continue
            reference = ModelReference(name=manifest.name, version=manifest.version)
            found.setdefault(manifest.name, (path.parent, reference))
    return list(found.values())


def _is_published(published: ModelStore, reference: ModelReference) -> bool:
    try:
        published.manifest(reference)
    except ModelUnknownError:
        return False
    return True
