"""The tables. Documents that are only ever read whole are JSON; what is searched, sorted or guarded is a column."""

from pydantic import TypeAdapter
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from eigenwarp.schemas.access import Scope
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.jobs import Progress
from eigenwarp.schemas.problem import Problem
from eigenwarp.schemas.projection import Projection
from eigenwarp.schemas.report import Report
from eigenwarp.schemas.requests import JobRequest
from eigenwarp.schemas.volumes import UploadRequest, VolumeRow
from eigenwarp.stores.database.column_types import JsonDocument, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column that is spelled INTEGER.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

volumes = Table(
    "volumes",
    metadata,
    Column("id", String(71), primary_key=True),
    Column("key", Text, nullable=False),
    Column("row", JsonDocument(TypeAdapter(VolumeRow)), nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

volume_subjects = Table(
    "volume_subjects",
    metadata,
    Column("volume_id", ForeignKey("volumes.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", String(64), primary_key=True, index=True),
    Column("acquired_at", UtcTime),
    Column("linked_at", UtcTime, nullable=False),
)

volume_codes = Table(
    "volume_codes",
    metadata,
    Column("volume_id", ForeignKey("volumes.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request", JsonDocument(TypeAdapter(UploadRequest)), nullable=False),
    Column("subject", String(64), index=True),
    Column("key", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("request", JsonDocument(TypeAdapter(JobRequest)), nullable=False),
    Column("model", JsonDocument(TypeAdapter(ModelReference))),
    Column("caller", Text, nullable=False),
    Column("subject", String(64), index=True),
    Column("idempotency_key", Text),
    Column("request_hash", Text),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("token", Integer, nullable=False, server_default="0"),
    Column("lease_until", UtcTime),
    Column("cancel_requested", Boolean, nullable=False, server_default=false()),
    Column("progress", JsonDocument(TypeAdapter(Progress))),
    Column("report", JsonDocument(TypeAdapter(Report))),
    Column("projection", JsonDocument(TypeAdapter(Projection))),
    Column("problem", JsonDocument(TypeAdapter(Problem))),
    Column("worker", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("enqueued_at", UtcTime),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    UniqueConstraint("caller", "idempotency_key"),
    Index("ix_jobs_created_at_id", "created_at", "id"),
    Index("ix_jobs_state_created_at", "state", "created_at"),
)

job_volumes = Table(
    "job_volumes",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("volume_id", ForeignKey("volumes.id"), primary_key=True, index=True),
)

artefacts = Table(
    "artefacts",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("filename", Text, nullable=False),
)

# A history outlives the jobs that made it, so neither the job nor the volume is a foreign key.
coefficients = Table(
    "coefficients",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("subject", String(64), nullable=False, index=True),
    Column("job_id", String(36), nullable=False, unique=True),
    Column("volume_id", String(71), nullable=False, index=True),
    Column("acquired_at", UtcTime),
    Column("recorded_at", UtcTime, nullable=False),
    Column("projection", JsonDocument(TypeAdapter(Projection)), nullable=False),
)

doomed_objects = Table(
    "doomed_objects",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, index=True),
    Column("due_at", UtcTime, nullable=False, index=True),
    sqlite_autoincrement=True,
)

# One row for each erasure, with numbers alone; the last id is the epoch.
erasures = Table(
    "erasures",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("volumes", Integer, nullable=False),
    Column("jobs", Integer, nullable=False),
    Column("coefficients", Integer, nullable=False),
    sqlite_autoincrement=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("scopes", JsonDocument(TypeAdapter(frozenset[Scope])), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("caller", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False, index=True),
    Column("outcome", Text, nullable=False),
    Column("request_id", Text),
)
