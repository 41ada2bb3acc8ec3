"""What callers prove themselves with is in no line of the log, however a request ends."""

import sys
from pathlib import Path

import httpx
from pydantic import SecretStr

from eigenwarp.settings import Settings, load_settings
from eigenwarp.stores.database import open_database
from service.key_text import KeyText
from service.keys import create_key
from tests.servers.ports import answers, free_port
from tests.servers.processes import running
from tests.servers.redis import RedisServer
from tests.service.issuer import AUDIENCE, running_issuer
from tests.service.web_server import running_web

PROGRAM = Path(sys.executable).parent / "eigenwarp"


def test_no_secret_reaches_the_log(tmp_path: Path, shared_redis: RedisServer) -> None:
    home, port = tmp_path / "home", free_port()
    database = open_database(load_settings({}, home=home).database)
    database.migrate()
    key = create_key(database, "tests", ["read"])
    record = database.keys.get(key.id)
    database.close()
    wrong = KeyText(key.id, KeyText.new().secret)
    with running_issuer() as issuer:
        environment = {
            "EIGENWARP_HOME": str(home),
            "EIGENWARP_PORT": str(port),
            "EIGENWARP_REDIS_URL": shared_redis.url,
            "EIGENWARP_OIDC_ISSUER": issuer.url,
            "EIGENWARP_OIDC_AUDIENCE": AUDIENCE,
            "EIGENWARP_LOG_LEVEL": "DEBUG",
        }
        good, bad = issuer.token(), issuer.token(aud="other")
        with running([PROGRAM, "serve"], tmp_path / "log", environment, tmp_path) as server:
            server.wait_until(lambda: answers(port), "the web server listens")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                for path in ("/models", "/nowhere", "/subjects/patient-name/coefficients", "/components/x"):
                    for text in (key.reveal(), wrong.reveal(), good, bad):
                        client.get(path, headers={"X-Api-Key": text})
                        client.get(path, headers={"Authorization": f"Bearer {text}"})
        lines = server.output()
    assert lines.count('"request"') >= 32, "the log was not captured"
    assert f"key:{key.id}" in lines, "the caller's id is no secret, and is wanted there"
    for secret in (key.secret, wrong.secret, good, bad, record.secret_hash, "patient-name"):
        assert secret not in lines


def test_no_problem_repeats_the_credentials(settings: Settings) -> None:
    with running_web(settings) as web:
        key = create_key(web.resources.database, "tests", ["submit"])
        for text in (key.reveal(), KeyText(key.id, KeyText.new().secret).reveal(), "not-a-key"):
            answer = httpx.get(f"{web.url}/models", headers={"X-Api-Key": text})
            assert answer.status_code in (401, 403)
            assert text not in answer.text
            assert text not in str(answer.headers)


def test_settings_and_resources_show_no_password(settings: Settings) -> None:
    with running_web(settings) as web:
        shown = repr(web.resources) + repr(web.resources.access)
    secret = settings.model_copy(update={"redis_url": SecretStr("redis://:hidden-password@127.0.0.1:1/0")})
    assert "hidden-password" not in repr(secret) + str(secret) + shown
