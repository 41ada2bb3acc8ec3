"""An Orthanc, followed by its list of changes."""

from typing import Final

import requests
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.archive.http_session import http_failures, open_session
from bridge.config.archive import OrthancWatch
from bridge.receive.intake import Intake
from bridge.refusals import ArchiveRefusedError, InstanceInvalidError
from bridge.state import State
from eigenwarp.log import get_logger

_PAGE: Final = 100
_NEW_INSTANCE: Final = "NewInstance"
_GONE: Final = 404
_log = get_logger(__name__)


class _Change(BaseModel):
    model_config = ConfigDict(extra="ignore")

    kind: str = Field(alias="ChangeType")
    id: str = Field(alias="ID")


class _Changes(BaseModel):
    model_config = ConfigDict(extra="ignore")

    changes: list[_Change] = Field(alias="Changes")
    done: bool = Field(alias="Done")
    last: int = Field(alias="Last")


class OrthancWatcher:
    """Every new instance is fetched; the cursor moves on once a page of them is kept."""

    def __init__(self, watch: OrthancWatch, state: State, intake: Intake) -> None:
        self._watch = watch
        self._state = state
        self._intake = intake
        self._session = open_session(watch, f"watch.{watch.name}")
        self._cursor = f"watch:{watch.name}"

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
            ArchiveUnreachableError, ArchiveRefusedError: Orthanc does not answer, or not as one.
            StoreUnavailableError: there is no room; the cursor stays where it was.
        """
        kept = self._state.cursors.get(self._cursor)
        if kept is None:
            since = self._last() if self._watch.from_now else 0
            self._state.cursors.set(self._cursor, str(since))
        else:
            since = int(kept)
        while True:
            page = self._page({"since": str(since), "limit": str(_PAGE)})
            for change in page.changes:
                if change.kind == _NEW_INSTANCE:
                    self._take(change.id)
            since = max(page.last, since)
            self._state.cursors.set(self._cursor, str(since))
            if page.done or not page.changes:
                return

    def close(self) -> None:
        """Connections are given back."""
        self._session.close()

    def _take(self, orthanc_id: str) -> None:
        tags = self._get(f"/instances/{orthanc_id}/simplified-tags")
        if tags is None:
            # It went again before it was looked at.
            return
        values = tags.json()
        uids = [str(values.get(name, "")) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")]
        if self._intake.is_known(*uids):
            return
        content = self._get(f"/instances/{orthanc_id}/file")
        if content is None:
            return
        try:
            self._intake.take(content.content, self.name)
        except InstanceInvalidError as error:
            _log.warning("instance refused", watch=self.name, reason=error.code)

    def _last(self) -> int:
        return self._page({"last": ""}).last

    def _page(self, parameters: dict[str, str]) -> _Changes:
        answer = self._get("/changes", parameters)
        try:
            return _Changes.model_validate_json(b"" if answer is None else answer.content)
        except ValidationError:
            raise ArchiveRefusedError(f"watch {self.name}: /changes answers as no Orthanc does") from None

    def _get(self, path: str, parameters: dict[str, str] | None = None) -> requests.Response | None:
        """None where it is gone."""
        with http_failures(f"watch {self.name}"):
            answer = self._session.get(self._watch.url + path, params=parameters, timeout=self._watch.timeout_seconds)
            if answer.status_code == _GONE:
                return None
            answer.raise_for_status()
            return answer
