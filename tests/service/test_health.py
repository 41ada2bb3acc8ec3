"""Whether the service lives and can serve: each store killed in turn is named, and named no longer once it is back."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from eigenwarp.settings import Settings
from tests.servers.postgres import PostgresServer, running_postgres
from tests.servers.processes import wait_until
from tests.servers.redis import RedisServer, running_redis
from tests.servers.s3 import S3Server, running_s3
from tests.service.web_server import WebServer, running_web

Servers = dict[str, PostgresServer | S3Server | RedisServer]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    with (
        running_postgres(folder("postgres")) as postgres,
        running_s3(folder("s3")) as s3,
        running_redis(folder("redis")) as redis,
    ):
        yield {"database": postgres, "store": s3, "queue": redis}


@pytest.fixture(scope="module")
def served(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    postgres, s3, redis = servers["database"], servers["store"], servers["queue"]
    assert isinstance(postgres, PostgresServer)
    assert isinstance(s3, S3Server)
    assert isinstance(redis, RedisServer)
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        database_url=SecretStr(postgres.new_database()),
        redis_url=SecretStr(redis.url),
        s3_endpoint=s3.endpoint,
        s3_access_key=SecretStr(s3.access_key),
        s3_secret_key=SecretStr(s3.secret_key),
        s3_secure=False,
    )
    with running_web(settings) as web:
        web.resources.database.migrate()
        yield web


def get(web: WebServer, path: str) -> httpx.Response:
    return httpx.get(f"{web.url}{path}", timeout=30)


def test_all_is_well_while_all_answer(served: WebServer) -> None:
    assert get(served, "/readyz").json() == {"status": "ready"}
    assert get(served, "/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("down", ["database", "store", "queue"])
def test_what_does_not_answer_is_named_and_the_process_lives_on(served: WebServer, servers: Servers, down: str) -> None:
    servers[down].kill()
    try:
        answer = get(served, "/readyz")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["type"] == "/problems/store-unavailable"
        assert answer.json()["detail"] == f"not answering: {down}"
        assert get(served, "/healthz").status_code == 200
    finally:
        servers[down].start()
    wait_until(lambda: get(served, "/readyz").status_code == 200, f"ready again after the {down} was away")


def test_a_database_without_this_releases_schema_is_not_ready(
    servers: Servers, served: WebServer, tmp_path: Path
) -> None:
    postgres = servers["database"]
    assert isinstance(postgres, PostgresServer)
    fresh = served.resources.settings.model_copy(
        update={"home": tmp_path, "database_url": SecretStr(postgres.new_database())}
    )
    with running_web(fresh) as web:
        assert get(web, "/readyz").json()["detail"] == "not answering: database"
        web.resources.database.migrate()
        assert get(web, "/readyz").status_code == 200


def test_no_address_or_password_is_told(served: WebServer, servers: Servers) -> None:
    servers["database"].kill()
    try:
        text = get(served, "/readyz").text + get(served, "/metrics").text
        settings = served.resources.settings
        assert settings.database_url is not None
        for secret in (settings.database_url.get_secret_value(), str(settings.s3_endpoint), "127.0.0.1"):
            assert secret not in text
    finally:
        servers["database"].start()
    wait_until(lambda: get(served, "/readyz").status_code == 200, "ready again")
