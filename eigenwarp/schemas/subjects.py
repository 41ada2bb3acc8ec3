"""What is kept on a subject."""

from datetime import datetime

from pydantic import Field

from eigenwarp.schemas.document import Document
from eigenwarp.schemas.projection import Projection


class HistoryRow(Document):
    """One projection."""

    acquired_at: datetime | None
    recorded_at: datetime
    job: str
    volume: str
    projection: Projection


class History(Document):
    """A subject's coefficients, by date of acquisition, then of recording."""

    subject: str
    rows: list[HistoryRow]


class Erasure(Document):
    """What was removed."""

    volumes: int
    jobs: int
    coefficients: int
    objects: int
    pending: int = Field(
        default=0, description="Objects that a store which is away still holds; deleted once it is back."
    )
