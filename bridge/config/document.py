"""The file as a whole."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from bridge.config.archive import Archive, DimseArchive, HttpUrl, RemoteEntity, Watch
from bridge.config.listener import Listener
from bridge.config.rules import Rule
from bridge.config.section import Section


class Service(Section):
    """The Eigenwarp service, which gets voxels and opaque ids.

    Args:
        key_file: holds an API key with the scopes read and submit; needed unless the service asks for none.
        patience_seconds: during which one failed call is repeated, before the job is put off.
    """

    url: HttpUrl
    key_file: Path | None = None
    timeout_seconds: float = Field(default=60.0, gt=0)
    patience_seconds: float = Field(default=5.0, ge=0)


class Complete(Section):
    """When a series is taken to be whole; ``eigenwarp bridge complete`` says it of one.

    Args:
        quiet_seconds: after its last new instance.
        use_count: also at once when as many have come as NumberOfSeriesRelatedInstances or ImagesInAcquisition says.
    """

    quiet_seconds: float = Field(default=30.0, ge=0)
    use_count: bool = True


class Retry(Section):
    """How often a step or the delivery of one object is tried, and how long in between.

    Args:
        attempts: in a row, before it waits for ``eigenwarp bridge retry``.
        first_seconds, longest_seconds: the first pause, doubled each time up to the longest.
    """

    attempts: int = Field(default=12, ge=1, le=1000)
    first_seconds: float = Field(default=5.0, gt=0)
    longest_seconds: float = Field(default=600.0, gt=0)

    def pause(self, attempt: int) -> float:
        """Seconds after the attempt of that number, from 1."""
        return min(self.first_seconds * 2.0 ** (min(attempt, 40) - 1), self.longest_seconds)


class Privacy(Section):
    """The site's secret.

    Args:
        key_file: 32 characters or more. Subjects' ids are hashed with it, and everything of a patient that is kept on
            disk is encrypted under it. Without, ids are hashed with a key that the bridge makes for itself, and what is
            kept is not encrypted.
    """

    key_file: Path | None = None


class Health(Section):
    """``/healthz``, ``/readyz`` and ``/metrics``; absent, nothing listens."""

    host: str = "127.0.0.1"
    port: int = Field(default=9113, ge=0, le=65535)


class BridgeConfig(Section):
    """Everything a bridge is told.

    Args:
        state: its own folder: database, instances that have come, objects that wait.
        archive: where results go.
        commitment: an entity that is asked for storage commitment once the objects are found in the archive.
        watch: archives that are looked into for new series, beside what is sent here.
        workers: steps that go on at a time.
        keep_hours: instances and objects of finished jobs; then they are removed.
        log_level, log_format: as of the service.
    """

    state: Path
    service: Service
    archive: Archive
    listener: Listener | None = Listener()
    commitment: RemoteEntity | None = None
    watch: tuple[Watch, ...] = ()
    complete: Complete = Complete()
    retry: Retry = Retry()
    privacy: Privacy = Privacy()
    health: Health | None = None
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    workers: int = Field(default=2, ge=1, le=32)
    keep_hours: float = Field(default=72.0, ge=0)
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_format: str = Field(default="json", pattern="^(json|text)$")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for kind, names in (
            ("rules", [rule.name for rule in self.rules]),
            ("watch", [watch.name for watch in self.watch]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{kind}: two are named {twice[0]!r}")
        if self.listener is None and not self.watch:
            raise ValueError("neither a listener nor a watch: no series would ever come")
        if self.commitment is not None and self.listener is None:
            raise ValueError("commitment: its answers come to the listener, and there is none")
        if isinstance(self.archive, DimseArchive) and self.archive.retrieve == "move":
            self._require_archive_among_peers(self.archive.ae_title)
        return self

    def _require_archive_among_peers(self, title: str) -> None:
        if self.listener is None:
            raise ValueError("archive.retrieve = 'move': what is asked for comes to the listener, and there is none")
        titles = [peer.ae_title for peer in self.listener.peers]
        if titles and title not in titles:
            raise ValueError(f"archive.retrieve = 'move': {title!r}, which sends, is none of listener.peers")
