"""What attempts leave behind that ended without a result."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from eigenwarp.stores.database.erasing import LINGERING, doom


def doom_attempts(connection: Connection, job_id: str, tokens: Iterable[int], now: datetime) -> None:
    """Have the files of a job's attempts deleted: later, for their workers may be writing yet.

    Args:
        tokens: of the claims whose files no result refers to.
    """
    doom(connection, [f"jobs/{job_id}/{token}/" for token in tokens], now + LINGERING)
