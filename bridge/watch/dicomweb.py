"""An archive that has no list of changes: asked by QIDO-RS for the series of the last days, again and again."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

from pydicom import Dataset, dcmwrite

from bridge.archive.archive import StoredSeries
from bridge.archive.dicomweb import DicomwebClientArchive
from bridge.config.archive import DicomwebWatch
from bridge.receive.intake import Intake
from bridge.refusals import InstanceInvalidError
from eigenwarp.log import get_logger

_log = get_logger(__name__)


class DicomwebWatcher:
    """What has come already is its cursor: instances that the state holds are not fetched again."""

    def __init__(self, watch: DicomwebWatch, intake: Intake) -> None:
        self._watch = watch
        self._intake = intake
        self._archive = DicomwebClientArchive(watch, f"watch.{watch.name}")

    @property
    def name(self) -> str:
        """In numbers and logs."""
        return self._watch.name

    @property
    def seconds(self) -> float:
        """Between two looks."""
        return self._watch.seconds

    def look(self) -> None:
        """Take everything that is new.

        Raises:
            ArchiveUnreachableError, ArchiveRefusedError: from the archive.
            StoreUnavailableError: there is no room.
        """
        # A study's date is the site's, which may be a day ahead of ours or behind.
        today = datetime.now(UTC).date()
        first, last = today - timedelta(days=self._watch.days + 1), today + timedelta(days=1)
        for modality in self._watch.modalities:
            for series in self._archive.recent_series(f"{first:%Y%m%d}", f"{last:%Y%m%d}", modality):
                self._take(series)

    def close(self) -> None:
        """Connections are given back."""
        self._archive.close()

    def _take(self, series: StoredSeries) -> None:
        held = self._archive.held(series.study_uid, series.series_uid)
        for uid in sorted(held):
            if self._intake.is_known(series.study_uid, series.series_uid, uid):
                continue
            try:
                self._intake.take(_encoded(self._archive.fetch_instance(series, uid)), self.name, expected=len(held))
            except InstanceInvalidError as error:
                _log.warning("instance refused", watch=self.name, reason=error.code)


def _encoded(dataset: Dataset) -> bytes:
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
