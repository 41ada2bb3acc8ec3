"""What callers prove themselves with is in no line of the log, however a request ends."""

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from eigenwarp.log import configure_logging
from eigenwarp.settings import Settings
from service.key_text import KeyText
from service.keys import create_key
from tests.service.issuer import AUDIENCE, running_issuer
from tests.service.web_server import running_web


def test_no_secret_reaches_the_log(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    with running_issuer() as issuer:
        configured = settings.model_copy(
            update={"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, "log_level": "DEBUG"}
        )
        configure_logging(configured)
        with running_web(configured) as web:
            key = create_key(web.resources.database, "tests", ["read"])
            good, bad = issuer.token(), issuer.token(aud="other")
            wrong = KeyText(key.id, KeyText.new().secret)
            for path in ("/models", "/nowhere", "/subjects/patient-name/coefficients", "/components/x"):
                for text in (key.reveal(), wrong.reveal(), good, bad):
                    httpx.get(f"{web.url}{path}", headers={"X-Api-Key": text})
                    httpx.get(f"{web.url}{path}", headers={"Authorization": f"Bearer {text}"})
            record = web.resources.database.keys.get(key.id)
    captured = capfd.readouterr()
    lines = captured.out + captured.err
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


def test_settings_and_resources_show_no_password(settings: Settings, tmp_path: Path) -> None:
    with running_web(settings) as web:
        shown = repr(web.resources) + repr(web.resources.access)
    secret = settings.model_copy(update={"redis_url": SecretStr("redis://:hidden-password@127.0.0.1:1/0")})
    assert "hidden-password" not in repr(secret) + str(secret) + shown
