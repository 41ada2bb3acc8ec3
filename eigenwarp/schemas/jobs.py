"""A job as callers see it."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from eigenwarp.schemas.document import Document, ModelReference, Share
from eigenwarp.schemas.problem import Problem
from eigenwarp.schemas.projection import Projection
from eigenwarp.schemas.report import Report
from eigenwarp.schemas.requests import JobKind, JobRequest

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
FINAL_STATES: frozenset[JobState] = frozenset({"succeeded", "failed", "cancelled"})


class Progress(Document):
    """How far a running job is."""

    stage: str = Field(examples=["load", "encode", "decode", "write"])
    fraction: Share


class ResultRow(Document):
    """One file that a job made."""

    name: str
    content_type: str
    bytes: int
    sha256: str
    href: str = Field(description="Path on this server.")


class JobRow(Document):
    """One job."""

    id: str
    kind: JobKind
    state: JobState
    progress: Progress | None = None
    attempt: int = Field(ge=0, description="Times a worker has begun it.")
    model: ModelReference | None = Field(default=None, description="Pinned when the job was accepted.")
    subject: str | None = None
    request: JobRequest
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cancel_requested: bool = False
    results: tuple[ResultRow, ...] = ()
    report: Report | None = Field(default=None, description="Of a registration, once it succeeded.")
    projection: Projection | None = Field(default=None, description="Of a projection, once it succeeded.")
    problem: Problem | None = Field(default=None, description="Why it failed.")


class JobPage(Document):
    """A part of a list of jobs, newest first; ``Link`` names the next."""

    jobs: list[JobRow]
    next: str | None = Field(default=None, description="Cursor of the next page.")


class JobEvent(Document):
    """One server-sent event."""

    job: str
    state: JobState
    progress: Progress | None = None
    attempt: int
    at: datetime
