"""One instance in: checked, on the disk, in the state; only then is its sender answered."""

from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import Final

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from bridge.metrics import BridgeMetrics
from bridge.objects.identity import is_result
from bridge.refusals import InstanceInvalidError
from bridge.state import State
from bridge.state.series import NewInstance, SeriesIdentity
from eigenwarp.errors import StoreUnavailableError

_TAGS: Final = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Manufacturer",
    "ManufacturerModelName",
    "ImagesInAcquisition",
    "NumberOfSeriesRelatedInstances",
    "NumberOfFrames",
)
_UIDS: Final = _TAGS[:4]


class Taken(StrEnum):
    """What became of an instance."""

    KEPT = "kept"
    DUPLICATE = "duplicate"
    OWN = "own"


@dataclass(frozen=True)
class Header:
    """What is read of an instance when it comes.

    Args:
        expected: instances of its series, where it says how many.
    """

    identity: SeriesIdentity
    sop_instance_uid: str
    is_own: bool
    expected: int | None


class Intake:
    """Takes instances, from the listener and from the watches alike.

    Args:
        free_bytes: that must remain on the disk.
    """

    def __init__(self, state: State, metrics: BridgeMetrics, free_bytes: int) -> None:
        self._state = state
        self._metrics = metrics
        self._free_bytes = free_bytes

    def take(self, content: bytes, source: str, expected: int | None = None) -> Taken:
        """Keep an instance; it and its row are on the disk when this returns.

        Args:
            content: a Part 10 file.
            source: ``peer`` or the watch's name, for the numbers.
            expected: instances of its series, where the source knows better than the instance.

        Raises:
            InstanceInvalidError: no DICOM, or without its UIDs.
            StoreUnavailableError: no room.
        """
        header = read_header(content)
        taken = self._keep(header, content, expected)
        self._metrics.received.labels(source, taken).inc()
        return taken

    def is_known(self, study_uid: str, series_uid: str, sop_instance_uid: str) -> bool:
        """Whether an instance has come already, or was made here: a watch need not fetch it."""
        instance = self._state.pseudonyms.of("instance", sop_instance_uid)
        series = self._state.pseudonyms.of("series", series_uid)
        return self._state.series.holds(instance) or self._state.results.is_own(instance, series)

    def _keep(self, header: Header, content: bytes, expected: int | None) -> Taken:
        state, identity = self._state, header.identity
        instance = state.pseudonyms.of("instance", header.sop_instance_uid)
        series = state.pseudonyms.of("series", identity.series_uid)
        if header.is_own or state.results.is_own(instance, series):
            return Taken.OWN
        if state.series.holds(instance):
            return Taken.DUPLICATE
        if state.spool.free_bytes() - len(content) < self._free_bytes:
            raise StoreUnavailableError(f"fewer than {self._free_bytes} bytes would remain on the bridge's disk")
        kept = state.spool.write(state.spool.instance(series, instance), content)
        new = NewInstance(instance, series, identity, kept, expected or header.expected)
        return Taken.KEPT if state.series.add(new) else Taken.DUPLICATE


def read_header(content: bytes) -> Header:
    """The UIDs of an instance.

    Raises:
        InstanceInvalidError: no DICOM, or without its UIDs.
    """
    try:
        dataset = dcmread(BytesIO(content), stop_before_pixels=True, specific_tags=list(_TAGS))
        uids = [str(dataset.get(name) or "") for name in _UIDS]
    except (InvalidDicomError, ValueError, KeyError, EOFError, AttributeError, NotImplementedError, TypeError) as error:
        raise InstanceInvalidError(f"no DICOM instance can be read: {type(error).__name__}") from None
    for name, uid in zip(_UIDS, uids, strict=True):
        if not uid:
            raise InstanceInvalidError(f"an instance without {name}")
    _, instance, study, series = uids
    return Header(
        identity=SeriesIdentity(study_uid=study, series_uid=series),
        sop_instance_uid=instance,
        is_own=is_result(dataset),
        expected=_expected(dataset),
    )


def _expected(dataset: Dataset) -> int | None:
    """How many instances the series has, by its own word; multi-frame instances say how many frames they hold."""
    if "NumberOfFrames" in dataset:
        return None
    for name in ("NumberOfSeriesRelatedInstances", "ImagesInAcquisition"):
        try:
            count = int(dataset.get(name) or 0)
        except (TypeError, ValueError):
            continue
        if count > 0:
            return count
    return None
