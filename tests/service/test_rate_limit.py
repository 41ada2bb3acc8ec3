"""Limits: shared by all processes through Redis, kept in this one while it is away, and never in a valid key's way."""

import time
from collections.abc import Iterator

import pytest

from eigenwarp.errors import RateLimitedError
from eigenwarp.settings import Settings
from service.key_text import KeyText
from service.keys import create_key
from service.rate_limit import RateLimiter
from tests.servers.redis import RedisServer
from tests.service.web_server import running_web


@pytest.fixture
def limiter(redis_server: RedisServer) -> Iterator[RateLimiter]:
    made = RateLimiter(redis_server.url, requests_per_minute=3, failures_per_minute=2)
    yield made
    made.close()


def test_one_more_than_the_limit_is_refused_and_told_when_to_come_back(limiter: RateLimiter) -> None:
    for _ in range(3):
        limiter.count_request("a")
    with pytest.raises(RateLimitedError, match="more than 3 requests") as refusal:
        limiter.count_request("a")
    assert 1 <= refusal.value.retry_after <= 60


def test_each_caller_has_a_limit_of_its_own(limiter: RateLimiter) -> None:
    for _ in range(3):
        limiter.count_request("a")
    limiter.count_request("b")


def test_two_processes_count_together(limiter: RateLimiter, redis_server: RedisServer) -> None:
    other = RateLimiter(redis_server.url, requests_per_minute=3)
    for counting in (limiter, other, limiter):
        counting.count_request("a")
    with pytest.raises(RateLimitedError):
        other.count_request("a")
    other.close()


def test_no_limit_is_no_limit(redis_server: RedisServer) -> None:
    free = RateLimiter(redis_server.url, requests_per_minute=0)
    for _ in range(100):
        free.count_request("a")
    free.close()


def test_without_redis_this_process_counts_alone(limiter: RateLimiter, redis_server: RedisServer) -> None:
    for _ in range(3):
        limiter.count_request("a")
    redis_server.kill()
    for _ in range(3):
        limiter.count_request("a")
    with pytest.raises(RateLimitedError):
        limiter.count_request("a")


def test_redis_is_used_again_when_it_is_back(redis_server: RedisServer) -> None:
    now = [0.0]
    limiter = RateLimiter(redis_server.url, requests_per_minute=1, clock=lambda: now[0])
    redis_server.kill()
    limiter.count_request("a")
    with pytest.raises(RateLimitedError):
        limiter.count_request("a")
    redis_server.start()
    now[0] += 60
    # An empty server has counted nothing.
    limiter.count_request("a")
    with pytest.raises(RateLimitedError):
        limiter.count_request("a")
    with redis_server.client() as client:
        assert client.dbsize() == 1
    limiter.close()


def test_a_redis_that_is_away_is_not_asked_again_at_once(redis_server: RedisServer) -> None:
    redis_server.kill()
    asked: list[float] = []

    def clock() -> float:
        asked.append(time.monotonic())
        return 0.0

    limiter = RateLimiter(redis_server.url, requests_per_minute=1000, clock=clock)
    limiter.count_request("a")
    first = len(asked)
    limiter.count_request("a")
    # Asked for the time once, to see that the pause is not over; Redis' failure would ask again.
    assert len(asked) == first + 1
    limiter.close()


def test_counts_end_by_themselves(limiter: RateLimiter, redis_server: RedisServer) -> None:
    limiter.count_request("a")
    limiter.count_failure("192.0.2.1")
    with redis_server.client() as client:
        keys = list(client.scan_iter())
        assert len(keys) == 2
        assert all(0 < int(client.ttl(key)) <= 120 for key in keys)


def test_too_many_calls_are_answered_with_429_and_when_to_come_back(
    settings: Settings, redis_server: RedisServer
) -> None:
    limited = settings.model_copy(
        update={"requests_per_minute": 3, "redis_url": type(settings.redis_url)(redis_server.url)}
    )
    with running_web(limited) as web:
        key, other = (create_key(web.resources.database, name, ["read"]).reveal() for name in "ab")
        with web.client(key) as client:
            answers = [client.get("/models") for _ in range(4)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
            refused = answers[-1]
            assert refused.json()["type"] == "/problems/rate-limited"
            assert 1 <= int(refused.headers["retry-after"]) <= 61
            assert client.get("/healthz").status_code == 200
        with web.client(other) as client:
            assert client.get("/models").status_code == 200


def test_who_tries_keys_is_stopped_and_a_known_key_from_there_still_passes(
    settings: Settings, redis_server: RedisServer
) -> None:
    redis_url = type(settings.redis_url)(redis_server.url)
    own = settings.model_copy(update={"failures_per_minute": 5, "redis_url": redis_url})
    with running_web(own) as web:
        key = create_key(web.resources.database, "known", ["read"])
        with web.client() as client:

            def status(text: str) -> int:
                return client.get("/models", headers={"X-Api-Key": text}).status_code

            assert status(key.reveal()) == 200
            tries = [status(KeyText(key.id, KeyText.new().secret).reveal()) for _ in range(7)]
            assert tries == [401] * 5 + [429] * 2
            assert status("neither key nor token") == 429
            assert status(key.reveal()) == 200
            # Who sends nothing has tried nothing.
            assert client.get("/models").status_code == 401
