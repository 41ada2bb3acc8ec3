"""What time it is, for the calls that are not told."""

from datetime import UTC, datetime


def or_now(moment: datetime | None) -> datetime:
    """The moment given, or the present; in UTC."""
    return datetime.now(UTC) if moment is None else moment.astimezone(UTC)
