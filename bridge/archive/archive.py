"""What the bridge wants of an archive, however it is spoken to."""

from dataclasses import dataclass
from typing import Protocol

from pydicom import Dataset

from bridge.refusals import ArchiveRefusedError


@dataclass(frozen=True)
class StoredStudy:
    """A study as the archive lists it.

    Args:
        moment: StudyDate and StudyTime, ``YYYYMMDDHHMMSS`` as far as they are there; sorts by time.
    """

    study_uid: str
    moment: str


@dataclass(frozen=True)
class StoredSeries:
    """A series as the archive lists it.

    Args:
        modality, description: empty where the archive does not tell.
    """

    study_uid: str
    series_uid: str
    modality: str
    description: str


class Archive(Protocol):
    """Calls block; each may be repeated. All of them raise:

    ArchiveUnreachableError: no answer, or one that asks to come again.
    ArchiveRefusedError: the archive says no.
    """

    def store(self, dataset: Dataset) -> None:
        """Hand an object over."""

    def held(self, study_uid: str, series_uid: str) -> frozenset[str]:
        """SOP instance UIDs of a series, as the archive lists them."""

    def studies_of(self, patient_id: str, issuer: str) -> list[StoredStudy]:
        """A patient's studies, the latest first."""

    def series_of(self, study_uid: str) -> list[StoredSeries]:
        """A study's series."""

    def fetch(self, series: StoredSeries) -> list[Dataset]:
        """A series' instances, with their pixels."""

    def check(self) -> None:
        """Whether it answers."""

    def close(self) -> None:
        """Connections are given back."""


def exact(identifier: str) -> str:
    """An identifier as a key to be matched: one that holds a wildcard would match others.

    Raises:
        ArchiveRefusedError: it does.
    """
    if not identifier or any(sign in identifier for sign in "*?\\"):
        raise ArchiveRefusedError("a PatientID that is empty or holds a wildcard cannot be asked for")
    return identifier
