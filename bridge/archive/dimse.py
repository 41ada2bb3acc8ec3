"""An archive over DIMSE (PS3.7): C-STORE, C-FIND, C-GET or C-MOVE."""

from collections.abc import Iterator
from io import BytesIO
from typing import Final

from pydicom import Dataset, dcmread
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    LegacyConvertedEnhancedCTImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
    SegmentationStorage,
)
from pynetdicom import evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    LabelMapSegmentationStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from bridge.archive.archive import StoredSeries, StoredStudy, exact
from bridge.archive.association import association
from bridge.archive.retrievals import Retrievals
from bridge.config.archive import DimseArchive as DimseConfig
from bridge.refusals import ArchiveRefusedError, ArchiveUnreachableError

_UNCOMPRESSED: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
# What an earlier study of the kind that the models take can be made of, and what a region of interest is drawn as.
_FETCHED: Final = (
    MRImageStorage,
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
    SegmentationStorage,
    LabelMapSegmentationStorage,
)
_SUCCESS: Final = 0x0000
_PENDING: Final = (0xFF00, 0xFF01)
_OUT_OF_RESOURCES: Final = range(0xA700, 0xA800)
_DESTINATION_UNKNOWN: Final = 0xA801


class DimseArchive:
    """An application entity that stores, finds and sends.

    Args:
        entity: the archive's.
        own_title: how this bridge calls itself there.
        retrievals: of the listener that a C-MOVE brings the instances to.
    """

    def __init__(self, entity: DimseConfig, own_title: str, retrievals: Retrievals) -> None:
        self._entity = entity
        self._own = own_title
        self._retrievals = retrievals

    def store(self, dataset: Dataset) -> None:
        """C-STORE in the object's own transfer syntax."""
        context = (str(dataset.SOPClassUID), [str(dataset.file_meta.TransferSyntaxUID)])
        with association(self._entity, self._own, [context]) as opened:
            try:
                status = opened.send_c_store(dataset).get("Status")
            except (ValueError, RuntimeError) as error:
                raise ArchiveRefusedError(
                    f"C-STORE: the archive takes no such object: {type(error).__name__}"
                ) from None
        if status is None:
            raise ArchiveUnreachableError("C-STORE: no answer")
        if status in _OUT_OF_RESOURCES:
            raise ArchiveUnreachableError(f"C-STORE: the archive answers {status:04X}H: out of resources")
        # Bxxx: stored, with something coerced or left aside.
        if status != _SUCCESS and status >> 12 != 0xB:
            raise ArchiveRefusedError(f"C-STORE: the archive answers {status:04X}H")

    def held(self, study_uid: str, series_uid: str) -> frozenset[str]:
        """C-FIND on the level of images."""
        rows = self._find("IMAGE", StudyInstanceUID=study_uid, SeriesInstanceUID=series_uid, SOPInstanceUID="")
        return frozenset(str(row.get("SOPInstanceUID", "")) for row in rows)

    def studies_of(self, patient_id: str, issuer: str) -> list[StoredStudy]:
        """C-FIND on the level of studies by PatientID."""
        wanted = {"StudyInstanceUID": "", "StudyDate": "", "StudyTime": "", "IssuerOfPatientID": ""}
        found = [
            StoredStudy(
                _text(row, "StudyInstanceUID"), _text(row, "StudyDate") + _text(row, "StudyTime").partition(".")[0]
            )
            for row in self._find("STUDY", PatientID=exact(patient_id), **wanted)
            if _text(row, "PatientID") == patient_id and _text(row, "IssuerOfPatientID") in ("", issuer)
        ]
        return sorted(found, key=lambda study: study.moment, reverse=True)

    def series_of(self, study_uid: str) -> list[StoredSeries]:
        """C-FIND on the level of series."""
        wanted = {"SeriesInstanceUID": "", "Modality": "", "SeriesDescription": ""}
        return [
            StoredSeries(
                study_uid, _text(row, "SeriesInstanceUID"), _text(row, "Modality"), _text(row, "SeriesDescription")
            )
            for row in self._find("SERIES", StudyInstanceUID=study_uid, **wanted)
        ]

    def fetch(self, series: StoredSeries) -> list[Dataset]:
        """C-GET of the series, uncompressed; or C-MOVE, as the archive has it."""
        wanted = Dataset()
        wanted.QueryRetrieveLevel = "SERIES"
        wanted.StudyInstanceUID, wanted.SeriesInstanceUID = series.study_uid, series.series_uid
        return self._move(wanted) if self._entity.retrieve == "move" else self._get(wanted)

    def _get(self, wanted: Dataset) -> list[Dataset]:
        arrived: list[Dataset] = []

        def keep(event: evt.Event) -> int:
            dataset = event.dataset
            dataset.file_meta = event.file_meta
            arrived.append(dataset)
            return _SUCCESS

        model = StudyRootQueryRetrieveInformationModelGet
        contexts = [(model, _UNCOMPRESSED), *((fetched, _UNCOMPRESSED) for fetched in _FETCHED)]
        with association(self._entity, self._own, contexts, [(evt.EVT_C_STORE, keep)], receive=_FETCHED) as opened:
            for _ in _answers(opened.send_c_get(wanted, model), "C-GET"):
                pass
        return arrived

    def _move(self, wanted: Dataset) -> list[Dataset]:
        model = StudyRootQueryRetrieveInformationModelMove
        with (
            self._retrievals.awaiting(str(wanted.SeriesInstanceUID), self._entity.ae_title) as arrived,
            association(self._entity, self._own, [(model, _UNCOMPRESSED)]) as opened,
        ):
            # The last answer comes after the last instance was taken.
            for _ in _answers(opened.send_c_move(wanted, self._own, model), "C-MOVE"):
                pass
            if not arrived:
                raise ArchiveRefusedError("C-MOVE: the archive tells success, and nothing came to the listener")
            return [dcmread(BytesIO(content)) for content in arrived.values()]

    def check(self) -> None:
        """C-ECHO."""
        with association(self._entity, self._own, [(Verification, _UNCOMPRESSED)]) as opened:
            if opened.send_c_echo().get("Status") != _SUCCESS:
                raise ArchiveUnreachableError("C-ECHO: no success")

    def close(self) -> None:
        """Each call has its own association."""

    def _find(self, level: str, **keys: str) -> list[Dataset]:
        wanted = Dataset()
        wanted.QueryRetrieveLevel = level
        for name, value in keys.items():
            setattr(wanted, name, value)
        model = StudyRootQueryRetrieveInformationModelFind
        with association(self._entity, self._own, [(model, _UNCOMPRESSED)]) as opened:
            return list(_answers(opened.send_c_find(wanted, model), "C-FIND"))


def _answers(responses: Iterator[tuple[Dataset, Dataset | None]], call: str) -> Iterator[Dataset]:
    """The rows of an answer.

    Raises:
        ArchiveUnreachableError: it breaks off.
        ArchiveRefusedError: it ends with a failure.
    """
    for status, row in responses:
        code = status.get("Status")
        if code is None:
            raise ArchiveUnreachableError(f"{call}: no answer")
        if code in _PENDING:
            if row is not None:
                yield row
        elif code == _DESTINATION_UNKNOWN:
            raise ArchiveRefusedError(
                f"{call}: the archive answers {code:04X}H: it has no address for the bridge's AE title"
            )
        elif code != _SUCCESS:
            raise ArchiveRefusedError(f"{call}: the archive answers {code:04X}H")


def _text(row: Dataset, name: str) -> str:
    return str(row.get(name) or "")
