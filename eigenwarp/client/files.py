"""What volumes a caller may hand over, and the files of results."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eigenwarp.client.transport import Upload
from eigenwarp.errors import FileUnreadableError, ServiceError
from eigenwarp.schemas.jobs import ResultRow
from eigenwarp.schemas.volumes import VolumeKind, VolumeRow
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.gunzip import GZIP_MAGIC
from eigenwarp.volume.nifti import segmentation_to_bytes, volume_to_bytes

VolumeSource = str | Path | bytes | Volume | Segmentation | VolumeRow
"""A NIfTI file's path or bytes, a volume in memory, or one that the service holds: its row or its id (``sha256:…``)."""

ID_PREFIX = "sha256:"
_FILENAME = "volume.nii"
_SUFFIXES = {"application/gzip": ".nii.gz", "application/json": ".json", "image/png": ".png", "text/csv": ".csv"}
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


def known_id(source: VolumeSource) -> str | None:
    """The id of a volume that the service holds already; None for one that is still to be sent."""
    if isinstance(source, VolumeRow):
        return source.id
    return source if isinstance(source, str) and source.startswith(ID_PREFIX) else None


@contextmanager
def opened(source: str | Path | bytes | Volume | Segmentation, fields: dict[str, str]) -> Iterator[Upload]:
    """A volume as a body to send.

    Raises:
        FileUnreadableError: the file is missing or cannot be read.
    """
    if isinstance(source, Volume):
        yield Upload(volume_to_bytes(source), _FILENAME + ".gz", fields)
    elif isinstance(source, Segmentation):
        yield Upload(segmentation_to_bytes(source), _FILENAME + ".gz", fields)
    elif isinstance(source, bytes):
        yield Upload(source, _FILENAME + (".gz" if source[:2] == GZIP_MAGIC else ""), fields)
    else:
        try:
            file = Path(source).open("rb")  # noqa: SIM115  # closed below; only the opening is to be translated
        except OSError as error:
            raise FileUnreadableError(f"{source}: {error.strerror or type(error).__name__}") from None
        with file:
            yield Upload(file, _FILENAME + (".gz" if Path(source).suffix == ".gz" else ""), fields)


def kind_of(source: VolumeSource, kind: VolumeKind | None) -> VolumeKind:
    """What a source holds: as told, else a segmentation where it is one in memory."""
    return kind or ("segmentation" if isinstance(source, Segmentation) else "image")


def result_filename(row: ResultRow) -> str:
    """The file name of a result, such as ``inverse_field.nii.gz``; safe, whatever the service says.

    Raises:
        ServiceError: a name that no result has.
    """
    if not row.name or not set(row.name) <= _NAME_CHARACTERS:
        raise ServiceError(f"the service names a result {row.name!r}: lower-case letters, digits and _ are expected")
    return row.name + _SUFFIXES.get(row.content_type.partition(";")[0].strip(), ".bin")
