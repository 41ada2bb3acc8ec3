"""Who made a result object, when, and under which UIDs."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from types import MappingProxyType
from typing import ClassVar, Final, Literal

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID

from bridge.objects.errors import FindingInvalidError
from eigenwarp.schemas.document import ModelReference

ObjectKind = Literal["segmentation", "measurements", "jacobian", "registration", "report"]
OBJECT_KINDS: Final[tuple[ObjectKind, ...]] = ("segmentation", "measurements", "jacobian", "registration", "report")

_SERIES_DESCRIPTIONS: Final[Mapping[ObjectKind, str]] = MappingProxyType(
    {
        "segmentation": "Eigenwarp labels",
        "measurements": "Eigenwarp measurements",
        "jacobian": "Eigenwarp Jacobian determinant",
        "registration": "Eigenwarp registration",
        "report": "Eigenwarp report",
    }
)
# An Integer String ends at 2³¹ − 1.
_SERIES_NUMBER_LIMIT = 2**31 - 1 - len(OBJECT_KINDS)


@dataclass(frozen=True)
class ResultIdentity:
    """The identity of the objects of one job.

    The same job with the same content gives the same UIDs, so that what is sent twice is one object in the archive. Any
    other content gives others, because an archive keeps the object that it holds under a UID and drops a changed one.

    Args:
        job: the service's job.
        made_at: when the job ended, in the site's local time: a second delivery must not carry another time.
        series_number: of the first kind of object; the others follow in the order of ``OBJECT_KINDS``.
        device_serial_number: which bridge it was, where a site has several.

    Raises:
        FindingInvalidError: no job, a series number that DICOM cannot hold, or no serial number.
    """

    manufacturer: ClassVar[str] = "Eigenwarp"
    model_name: ClassVar[str] = "Eigenwarp PACS bridge"

    job: str
    made_at: datetime
    series_number: int = 9000
    device_serial_number: str = "1"

    def __post_init__(self) -> None:
        if not self.job:
            raise FindingInvalidError("result objects need the job that they come from: their UIDs derive from it")
        if not 1 <= self.series_number <= _SERIES_NUMBER_LIMIT:
            raise FindingInvalidError(
                f"series number {self.series_number} is outside 1 to {_SERIES_NUMBER_LIMIT}, which DICOM can hold"
            )
        if not self.device_serial_number.strip():
            raise FindingInvalidError("result objects name the bridge that made them: its serial number is empty")

    @cached_property
    def software_version(self) -> str:
        """The bridge's release."""
        return version("eigenwarp")

    @property
    def device_uid(self) -> UID:
        """Of the bridge as an observer."""
        return _derived_uid("device", self.manufacturer, self.model_name, self.device_serial_number)

    def uid(self, *parts: str) -> UID:
        """A UID that belongs to the job, such as a tracking or a dimension's UID; the same parts give the same."""
        return _derived_uid("job", self.job, *parts)

    def series_number_of(self, kind: ObjectKind) -> int:
        return self.series_number + OBJECT_KINDS.index(kind)

    def series_description_of(self, kind: ObjectKind) -> str:
        return _SERIES_DESCRIPTIONS[kind]

    def seal(self, dataset: Dataset, kind: ObjectKind) -> None:
        """Give a finished object its times and, from all that it holds, its series and instance UID; in place.

        Times and UIDs that a library has drawn on the way are replaced, so that nothing depends on when it ran.
        """
        date, time = self.made_at.strftime("%Y%m%d"), self.made_at.strftime("%H%M%S")
        for name in ("InstanceCreation", "Content", "Series"):
            setattr(dataset, f"{name}Date", date)
            setattr(dataset, f"{name}Time", time)
        for item in (*dataset.get("DimensionOrganizationSequence", ()), *dataset.get("DimensionIndexSequence", ())):
            item.DimensionOrganizationUID = self.uid(kind, "dimensions")
        for item in dataset.get("ContributingEquipmentSequence", ()):
            item.ContributionDateTime = date + time
        dataset.SeriesDescription = self.series_description_of(kind)
        dataset.SeriesInstanceUID = dataset.SOPInstanceUID = UNSEALED
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, False
        write_dataset(buffer, dataset)
        content = hashlib.sha256(buffer.getvalue()).hexdigest()
        dataset.SeriesInstanceUID = self.uid(kind, "series", content)
        dataset.SOPInstanceUID = self.uid(kind, "instance", content)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID


def is_result(dataset: Dataset) -> bool:
    """Whether a bridge made this object: such a one never goes in again."""
    made_by = (dataset.get("Manufacturer"), dataset.get("ManufacturerModelName"))
    return made_by == (ResultIdentity.manufacturer, ResultIdentity.model_name)


def atlas_frame_of_reference(model: ModelReference) -> UID:
    """The frame of reference of a model's template; another version is another space."""
    return _derived_uid("atlas", model.name, model.version)


UNSEALED: Final = UID("2.25.0")
"""In the place of the UIDs that are still to be derived."""


def _derived_uid(*parts: str) -> UID:
    """A UID under 2.25, where a UUID needs no registration (PS3.5, B.2); 122 bits of a hash."""
    digest = hashlib.sha256("\0".join(("eigenwarp result", *parts)).encode()).digest()
    return UID(f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}")
