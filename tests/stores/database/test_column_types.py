"""Times and documents come back from both databases as they were given."""

from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eigenwarp.schemas.requests import ProjectRequest, ReconstructRequest
from eigenwarp.stores.database import Database, VolumeRecord
from tests.servers.postgres import PostgresServer
from tests.stores.database.conftest import Open
from tests.stores.database.samples import NOON, add_volume, submit, volume_id, volume_row

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)
# One database serves all examples of a test.
SHARED = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHARED
@given(moment=TIMES)
def test_a_time_is_the_same_instant_in_utc(database: Database, moment: datetime) -> None:
    job = submit(database, now=moment)
    assert job.created_at == database.jobs.get(job.id).created_at == moment
    assert job.created_at.utcoffset() == timedelta(0)


@SHARED
@given(first=TIMES, second=TIMES)
def test_times_are_ordered_as_instants(database: Database, first: datetime, second: datetime) -> None:
    one, other = submit(database, now=first, max_queued=10**6).id, submit(database, now=second, max_queued=10**6).id
    after_first = {job.id for job in database.jobs.page(created_after=first, limit=1000)[0]}
    assert one not in after_first
    assert (other in after_first) == (second > first)


@pytest.mark.parametrize("hours", [-23, 23])
def test_a_time_beyond_the_calendar_s_end_is_kept_as_the_end(database: Database, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    given_time = datetime(1, 1, 1, tzinfo=zone) if hours > 0 else datetime(9999, 12, 31, 23, 59, tzinfo=zone)
    add_volume(database, 1)
    submit(database, ProjectRequest(volume=volume_id(1), subject="S1", acquired_at=given_time))
    kept = database.volumes.get(volume_id(1)).row.acquired_at
    assert kept == (datetime.min if hours > 0 else datetime.max).replace(tzinfo=UTC)


def test_a_time_without_a_zone_is_a_defect_of_ours(database: Database) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        submit(database, now=datetime(2026, 1, 1))
    with pytest.raises(Exception, match="without a zone"):
        add_volume(database, 1, subject="S1", acquired_at=datetime(2026, 1, 1))


def test_a_server_in_another_zone_changes_no_time(postgres_server: PostgresServer, opened: Open) -> None:
    url = postgres_server.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET timezone = 'Asia/Kathmandu'".encode())
    database = opened(url)
    database.migrate()
    job = submit(database, now=NOON)
    assert database.jobs.get(job.id).created_at.isoformat() == "2026-03-01T12:00:00.123456+00:00"


@SHARED
@given(coefficients=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_numbers_come_back_to_the_last_bit(database: Database, coefficients: list[float]) -> None:
    request = ReconstructRequest(coefficients=tuple(coefficients))
    assert database.jobs.get(submit(database, request).id).request == request


def test_a_volume_s_geometry_comes_back_to_the_last_bit(database: Database) -> None:
    affine = [[0.1, 1 / 3, 0.0, -1e-300], [0.0, 2 / 3, 0.0, 0.0], [0.0, 0.0, 1.25, 1e300], [0.0, 0.0, 0.0, 1.0]]
    row = volume_row(1).model_copy(update={"affine": affine, "spacing_mm": (0.1, 1 / 3, 1.25)})
    database.volumes.add(VolumeRecord(row, database.volumes.reserve(row.id)))
    assert database.volumes.get(row.id).row == row
