"""The database holds the truth about volumes, jobs, subjects, keys and accesses."""

from eigenwarp.stores.database.database import Database, open_database
from eigenwarp.stores.database.records import (
    Artefact,
    AuditEntry,
    Caller,
    Claim,
    DoomedObject,
    Erased,
    HistoryEntry,
    JobRecord,
    KeyRecord,
    UploadRecord,
    VolumeRecord,
)

__all__ = [
    "Artefact",
    "AuditEntry",
    "Caller",
    "Claim",
    "Database",
    "DoomedObject",
    "Erased",
    "HistoryEntry",
    "JobRecord",
    "KeyRecord",
    "UploadRecord",
    "VolumeRecord",
    "open_database",
]
