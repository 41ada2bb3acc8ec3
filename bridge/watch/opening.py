"""The watches that the configuration names."""

from typing import Protocol

from bridge.config.archive import OrthancWatch, Watch
from bridge.receive.intake import Intake
from bridge.state import State
from bridge.watch.dicomweb import DicomwebWatcher
from bridge.watch.orthanc import OrthancWatcher


class Watcher(Protocol):
    """Something that is looked into."""

    @property
    def name(self) -> str:
        """In numbers and logs."""

    @property
    def seconds(self) -> float:
        """Between two looks."""

    def look(self) -> None:
        """Take everything that is new; raises ``EigenwarpError``."""

    def close(self) -> None:
        """Connections are given back."""


def open_watch(watch: Watch, state: State, intake: Intake) -> Watcher:
    """Nothing is asked yet.

    Raises:
        OptionInvalidError: a secret cannot be read.
    """
    if isinstance(watch, OrthancWatch):
        return OrthancWatcher(watch, state, intake)
    return DicomwebWatcher(watch, intake)
