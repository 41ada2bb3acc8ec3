"""What time it is for the calls that are not told, and every time in UTC."""

from datetime import UTC, datetime

_FIRST, _LAST = (moment.replace(tzinfo=UTC) for moment in (datetime.min, datetime.max))


def or_now(moment: datetime | None) -> datetime:
    """The moment given, or the present; in UTC."""
    return datetime.now(UTC) if moment is None else in_utc(moment)


def in_utc(moment: datetime) -> datetime:
    """An aware time in UTC. In the calendar's first and last hours that may be beyond it: then its end."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _FIRST if moment.year == 1 else _LAST
