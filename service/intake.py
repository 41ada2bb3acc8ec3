"""From a file in the spool to a volume in the stores: first checked, then kept, given back if it comes to nothing."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from eigenwarp.errors import EigenwarpError, NotReadyError, StoreUnavailableError, VolumeUnknownError
from eigenwarp.schemas.volumes import VolumeKind, VolumeRow
from eigenwarp.settings import Settings
from eigenwarp.stores.database.records import VolumeRecord
from eigenwarp.volume.canonical import Canonical, canonicalise
from eigenwarp.volume.nifti import ReadLimits
from service.erasure import erase_volume
from service.resources import Resources

NIFTI_MEDIA_TYPE = "application/gzip"
_TRIES = 3


@dataclass(frozen=True)
class CheckedFile:
    """A file that holds a volume, written anew beside it.

    Args:
        canonical: what the volume is.
        path: of the file to keep.
    """

    kind: VolumeKind
    canonical: Canonical
    path: Path


@dataclass(frozen=True)
class Kept:
    """A volume in the stores, and whether it is new there."""

    record: VolumeRecord
    created: bool


def check_file(settings: Settings, source: Path, kind: VolumeKind, name: str | None = None) -> CheckedFile:
    """Read a file to its last voxel. Takes a core for as long as that lasts; the source is removed.

    Args:
        name: of the part of the request that it came as; the detail of an error starts with it.

    Raises:
        EigenwarpError: as ``canonicalise``.
        StoreUnavailableError: no room in the spool.
    """
    target = source.with_suffix(".nii.gz")
    limits = ReadLimits(voxels=settings.max_voxels, file_bytes=settings.max_upload_bytes)
    try:
        found = canonicalise(source, target, kind, limits)
        source.unlink()
    except EigenwarpError as error:
        raise type(error)(f"{name}: {error.detail}" if name else error.detail) from None
    except OSError as error:
        raise StoreUnavailableError(f"the upload cannot be kept: {error.strerror}") from None
    return CheckedFile(kind, found, target)


def keep_volume(
    resources: Resources, file: CheckedFile, subject: str | None = None, acquired_at: datetime | None = None
) -> Kept:
    """Put a checked file into the object store and its row into the database; of a known content, see to the row.

    Raises:
        StoreUnavailableError: a store does not answer; then nothing is kept.
        NotReadyError: the same content is being erased at this moment, again and again.
    """
    for _ in range(_TRIES - 1):
        with suppress(NotReadyError):
            return _keep(resources, file, subject, acquired_at)
    return _keep(resources, file, subject, acquired_at)


def give_back(resources: Resources, kept: Iterable[Kept]) -> None:
    """Undo what a request brought that was refused after all. What was known before, or is needed by now, stays."""
    for volume in kept:
        if volume.created:
            with suppress(EigenwarpError):
                erase_volume(resources, volume.record.row.id)


def _keep(resources: Resources, file: CheckedFile, subject: str | None, acquired_at: datetime | None) -> Kept:
    volumes = resources.database.volumes
    row = _row(file, subject, acquired_at)
    try:
        key = volumes.get(row.id).key
    except VolumeUnknownError:
        # A reservation sees to it that the bytes do not outlive a crash before their row is there.
        key = volumes.reserve(row.id)
        resources.objects.put(key, file.path, NIFTI_MEDIA_TYPE)
    record, created = volumes.add(VolumeRecord(row=row, key=key))
    if record.key != key:
        # Somebody else brought the same at the same time. Should this fail, the reservation ends all the same.
        with suppress(StoreUnavailableError):
            resources.objects.delete(key)
    return Kept(record, created)


def _row(file: CheckedFile, subject: str | None, acquired_at: datetime | None) -> VolumeRow:
    found = file.canonical
    return VolumeRow(
        id=found.id,
        kind=file.kind,
        shape=found.geometry.shape,
        spacing_mm=found.geometry.spacing,
        orientation=found.geometry.orientation,
        affine=found.geometry.affine.tolist(),
        dtype=found.dtype,
        labels=None if found.labels is None else list(found.labels),
        bytes=found.bytes,
        subject=subject,
        acquired_at=acquired_at,
        created_at=datetime.now(UTC),
    )
