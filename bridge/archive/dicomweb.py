"""An archive over DICOMweb (PS3.18): STOW-RS, QIDO-RS, WADO-RS."""

from collections.abc import Mapping

from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset
from requests import HTTPError

from bridge.archive.archive import StoredSeries, StoredStudy, exact
from bridge.archive.http_session import http_failures, open_session
from bridge.config.archive import HttpAccess
from bridge.refusals import ArchiveRefusedError

_CONFLICT = 409


class DicomwebClientArchive:
    """Args: access: where, and with what credentials."""

    def __init__(self, access: HttpAccess, what: str = "archive") -> None:
        self._session = open_session(access, what)
        self._client = DICOMwebClient(
            access.url, session=self._session, timeout=access.timeout_seconds, permissive_uid=True
        )
        # The job's own budget decides how often something is tried.
        self._client.set_http_retry_params(retry=False)

    def store(self, dataset: Dataset) -> None:
        """STOW-RS into the study."""
        try:
            with http_failures("STOW-RS"):
                try:
                    answer = self._client.store_instances([dataset], study_instance_uid=str(dataset.StudyInstanceUID))
                except HTTPError as error:
                    if error.response is None or error.response.status_code != _CONFLICT:
                        raise
                    # 409: none was stored; the answer's body would say why, the status is enough.
                    raise ArchiveRefusedError("STOW-RS: the archive answers 409: the object was not stored") from None
        except ValueError:
            # Stored, by the status; the body is no document. The question that follows decides.
            return
        failed = answer.get("FailedSOPSequence") if answer is not None else None
        if failed:
            reason = failed[0].get("FailureReason")
            raise ArchiveRefusedError(f"STOW-RS: refused with reason {_hexadecimal(reason)}")

    def held(self, study_uid: str, series_uid: str) -> frozenset[str]:
        """QIDO-RS for the series' instances."""
        with http_failures("QIDO-RS for instances"):
            rows = self._client.search_for_instances(study_uid, series_uid)
        return frozenset(_value(row, "00080018") for row in rows)

    def studies_of(self, patient_id: str, issuer: str) -> list[StoredStudy]:
        """QIDO-RS for studies by PatientID."""
        with http_failures("QIDO-RS for studies"):
            rows = self._client.search_for_studies(
                search_filters={"PatientID": exact(patient_id)},
                fields=["PatientID", "IssuerOfPatientID", "StudyDate", "StudyTime"],
            )
        found = [
            StoredStudy(_value(row, "0020000D"), _value(row, "00080020") + _value(row, "00080030").partition(".")[0])
            for row in rows
            if _value(row, "00100020") == patient_id and _value(row, "00100021") in ("", issuer)
        ]
        return sorted(found, key=lambda study: study.moment, reverse=True)

    def series_of(self, study_uid: str) -> list[StoredSeries]:
        """QIDO-RS for the study's series."""
        with http_failures("QIDO-RS for series"):
            rows = self._client.search_for_series(study_uid)
        return [
            StoredSeries(study_uid, _value(row, "0020000E"), _value(row, "00080060"), _value(row, "0008103E"))
            for row in rows
        ]

    def recent_series(self, first_date: str, last_date: str, modality: str) -> list[StoredSeries]:
        """Series of the studies between two dates (``YYYYMMDD``), both included."""
        with http_failures("QIDO-RS for series"):
            studies = self._client.search_for_studies(
                search_filters={"StudyDate": f"{first_date}-{last_date}", "ModalitiesInStudy": modality}
            )
        found = [series for row in studies for series in self.series_of(_value(row, "0020000D"))]
        return [series for series in found if series.modality == modality]

    def fetch(self, series: StoredSeries) -> list[Dataset]:
        """WADO-RS for the series."""
        with http_failures("WADO-RS for a series"):
            return list(self._client.iter_series(series.study_uid, series.series_uid))

    def fetch_instance(self, series: StoredSeries, sop_instance_uid: str) -> Dataset:
        """WADO-RS for one instance."""
        with http_failures("WADO-RS for an instance"):
            return self._client.retrieve_instance(series.study_uid, series.series_uid, sop_instance_uid)

    def check(self) -> None:
        """A question that is quickly answered."""
        with http_failures("QIDO-RS"):
            self._client.search_for_studies(limit=1)

    def close(self) -> None:
        """Connections are given back."""
        self._session.close()


def _value(row: Mapping[str, dict[str, object]], tag: str) -> str:
    """The first value of an attribute of a DICOM JSON document (PS3.18, F.2); empty where there is none."""
    values = row.get(tag, {}).get("Value")
    return str(values[0]) if isinstance(values, list) and values and values[0] is not None else ""


def _hexadecimal(reason: object) -> str:
    return f"{reason:04X}H" if isinstance(reason, int) else "unknown"
