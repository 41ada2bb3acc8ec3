"""Events that are published and followed through a real Redis, which is killed and started empty."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from eigenwarp.errors import OptionInvalidError, StoreUnavailableError
from eigenwarp.schemas.jobs import JobEvent, JobState, Progress
from eigenwarp.stores.events import EventStream
from tests.servers.ports import free_port
from tests.servers.processes import wait_until
from tests.servers.redis import RedisServer

JOB = "job_" + "0" * 32
OTHER = "job_" + "1" * 32


@pytest.fixture
def events(redis_server: RedisServer) -> Iterator[EventStream]:
    stream = EventStream(redis_server.url)
    yield stream
    stream.close()


def event(state: JobState = "running", fraction: float | None = None, job: str = JOB) -> JobEvent:
    progress = None if fraction is None else Progress(stage="decode", fraction=fraction)
    return JobEvent(job=job, state=state, progress=progress, attempt=1, at=datetime(2026, 1, 2, tzinfo=UTC))


async def all_of(events: EventStream, last_id: str = "") -> list[tuple[str, JobEvent]]:
    async with asyncio.timeout(30):
        return [found async for found in events.follow(JOB, last_id)]


async def connections(server: RedisServer) -> int:
    with server.client() as client:
        return len(client.client_list()) - 1


def test_what_happened_before_is_replayed_up_to_the_end(events: EventStream) -> None:
    published = [event(fraction=0.1), event(fraction=0.9), event("succeeded")]
    for one in published:
        events.publish(one)
        events.publish(event("failed", job=OTHER))
    assert [found for _, found in asyncio.run(all_of(events))] == published


def test_what_happens_meanwhile_arrives_as_it_happens(events: EventStream) -> None:
    async def follow() -> list[JobEvent]:
        seen = []
        events.publish(event(fraction=0.0))
        async with asyncio.timeout(30), aclosing(events.watch(JOB, idle_seconds=None)) as following:
            async for found in following:
                assert found is not None
                seen.append(found[1])
                if len(seen) < 4:
                    await asyncio.to_thread(events.publish, event(fraction=len(seen) / 4))
                else:
                    await asyncio.to_thread(events.publish, event("cancelled"))
        return seen

    fractions = [0.0, 0.25, 0.5, 0.75]
    assert asyncio.run(follow()) == [*(event(fraction=fraction) for fraction in fractions), event("cancelled")]


def test_following_goes_on_after_the_last_event_seen(events: EventStream) -> None:
    for one in (event(fraction=0.1), event(fraction=0.2), event("failed")):
        events.publish(one)
    seen = asyncio.run(all_of(events))
    for position, (last_id, _) in enumerate(seen[:-1]):
        assert asyncio.run(all_of(events, last_id)) == seen[position + 1 :]


@pytest.mark.parametrize("last_id", ["x", "1-2-3", "-1", "$", "1-x", "9" * 30, "1\n"])
def test_an_id_that_is_none_is_refused(events: EventStream, last_id: str) -> None:
    with pytest.raises(OptionInvalidError, match="id of an event"):
        asyncio.run(all_of(events, last_id))


def test_a_quiet_stream_lets_its_follower_look_elsewhere(events: EventStream) -> None:
    async def watch() -> list[object]:
        seen: list[object] = []
        async with asyncio.timeout(30), aclosing(events.watch(JOB, idle_seconds=0.05)) as watching:
            async for found in watching:
                seen.append(found)
                if len(seen) == 2:
                    events.publish(event("succeeded"))
        return seen

    first, second, *more = asyncio.run(watch())
    assert first is second is None
    assert isinstance(more[-1], tuple)
    assert more[-1][1] == event("succeeded")


def test_a_follower_that_leaves_gives_its_connection_back(events: EventStream, redis_server: RedisServer) -> None:
    async def leave() -> None:
        events.publish(event())
        before = await connections(redis_server)
        for _ in range(5):
            async with aclosing(events.watch(JOB, idle_seconds=None)) as following:
                await anext(following)
        async with asyncio.timeout(30):
            while await connections(redis_server) > before:
                await asyncio.sleep(0.01)

    asyncio.run(leave())


def test_many_follow_at_once(events: EventStream) -> None:
    async def follow() -> list[int]:
        followers = [asyncio.create_task(all_of(events)) for _ in range(40)]
        await asyncio.sleep(0)
        for one in (event(fraction=0.5), event("succeeded")):
            await asyncio.to_thread(events.publish, one)
        return [len(found) for found in await asyncio.gather(*followers)]

    assert asyncio.run(follow()) == [2] * 40


def test_a_stream_is_bounded_and_runs_out(events: EventStream, redis_server: RedisServer) -> None:
    for _ in range(2500):
        events.publish(event(fraction=0.5))
    with redis_server.client() as client:
        (name,) = client.keys("*")
        assert client.xlen(name) < 1500
        assert 0 < client.ttl(name) <= 24 * 3600


def test_a_deleted_stream_tells_nothing(events: EventStream, redis_server: RedisServer) -> None:
    events.publish(event())
    events.delete(JOB)
    events.delete(JOB)
    with redis_server.client() as client:
        assert client.keys("*") == []


def test_publishing_without_redis_does_nothing_and_is_logged_once(
    events: EventStream, redis_server: RedisServer
) -> None:
    events.publish(event(fraction=0.1))
    redis_server.kill()
    with capture_logs() as logs:
        for _ in range(100):
            events.publish(event(fraction=0.5))
    assert [line["event"] for line in logs] == ["events are not published"]
    redis_server.start()

    def published() -> bool:
        events.publish(event("succeeded"))
        with redis_server.client() as client:
            return bool(client.keys("*"))

    wait_until(published, "events are published again")
    assert asyncio.run(all_of(events))[0][1] == event("succeeded")


def test_the_first_event_after_a_restart_is_published(events: EventStream, redis_server: RedisServer) -> None:
    events.publish(event(fraction=0.1))
    redis_server.restart()
    events.publish(event("succeeded"))
    assert [found for _, found in asyncio.run(all_of(events))] == [event("succeeded")]


def test_a_follower_hears_that_redis_went_away(events: EventStream, redis_server: RedisServer) -> None:
    async def follow() -> None:
        events.publish(event())
        async with asyncio.timeout(30):
            async for _ in events.follow(JOB):
                # A restart at once, too: the stream is gone, and what came meanwhile with it.
                await asyncio.to_thread(redis_server.restart)

    with pytest.raises(StoreUnavailableError, match="lost"):
        asyncio.run(follow())


def test_an_absent_redis_is_said() -> None:
    events = EventStream(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(StoreUnavailableError, match="Redis"):
        events.check()
    with pytest.raises(StoreUnavailableError, match="Redis"):
        events.delete(JOB)
    with pytest.raises(StoreUnavailableError, match="lost"):
        asyncio.run(all_of(events))


def test_a_redis_that_answers_is_well(events: EventStream) -> None:
    events.check()


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(OptionInvalidError, match="redis_url"):
        EventStream("http://127.0.0.1")
