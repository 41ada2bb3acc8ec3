"""What a process that logs writes on stderr, looked at in a fresh process."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
START = """
import logging
from eigenwarp.log import configure_logging, get_logger, log_context
from eigenwarp.settings import load_settings
configure_logging(load_settings())
log = get_logger("service.here")
"""
SECRETS = {
    "EIGENWARP_REDIS_URL": "redis://:redis-password@127.0.0.1:6379/0",
    "EIGENWARP_DATABASE_URL": "postgresql://user:database-password@127.0.0.1/x",
    "EIGENWARP_S3_ENDPOINT": "127.0.0.1:8333",
    "EIGENWARP_S3_ACCESS_KEY": "access-key-of-s3",
    "EIGENWARP_S3_SECRET_KEY": "secret-key-of-s3",
}


def written(code: str, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", START + code], cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    )
    assert run.stdout == ""
    return run.stderr


def lines(code: str, **environment: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(code, **environment).splitlines()]


def test_a_line_is_one_json_object() -> None:
    (line,) = lines('log.info("volume stored", bytes=12, shape=(1, 2, 3), path=__import__("pathlib").Path("/x"))')
    assert line.pop("at").endswith("Z")
    assert line == {
        "event": "volume stored",
        "level": "info",
        "logger": "service.here",
        "bytes": 12,
        "shape": [1, 2, 3],
        "path": "/x",
    }


def test_lines_of_libraries_look_the_same() -> None:
    code = """
for name in ("uvicorn.error", "celery.worker", "sqlalchemy.pool", "anything"):
    logging.getLogger(name).warning("%s of %d", "first", 2, extra={"more": "x"})
"""
    found = lines(code)
    assert [line["logger"] for line in found] == ["uvicorn.error", "celery.worker", "sqlalchemy.pool", "anything"]
    for line in found:
        assert (line["event"], line["level"], line["more"]) == ("first of 2", "warning", "x")


def test_ids_are_in_every_line_of_their_context_and_in_no_other() -> None:
    code = """
import threading
with log_context(request_id="r1"):
    log.info("one")
    with log_context(job_id="job_1"):
        logging.getLogger("celery").info("two")
    other = threading.Thread(target=log.info, args=("three",))
    other.start()
    other.join()
log.info("four")
"""
    found = {line["event"]: (line.get("request_id"), line.get("job_id")) for line in lines(code)}
    assert found == {"one": ("r1", None), "two": ("r1", "job_1"), "three": (None, None), "four": (None, None)}


def test_a_traceback_is_in_the_line_and_tells_no_values_of_variables() -> None:
    code = """
def compute(name):
    raise ValueError("what went wrong")
try:
    compute("Jane Doe")
except ValueError:
    log.exception("failed")
"""
    for style in ("json", "text"):
        text = written(code, EIGENWARP_LOG_FORMAT=style)
        assert "Traceback" in text
        assert "ValueError: what went wrong" in text
        assert "name = " not in text
        assert "'Jane Doe'" not in text
    (line,) = lines(code)
    assert line["event"] == "failed"
    assert "compute" in line["exception"]


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize(
    "code",
    [
        "log.info('at', url={secret!r})",
        "log.info('at ' + {secret!r})",
        "log.info('%s', {secret!r})",
        "log.info('at', settings={{'deep': [{secret!r}]}})",
        "log.info('at', raw={secret!r}.encode())",
        "logging.getLogger('celery').warning('at %s', {secret!r})",
        "logging.getLogger('celery').warning('at %(url)s', {{'url': {secret!r}}})",
        "try:\n    raise OSError({secret!r})\nexcept OSError:\n    log.exception('failed')",
        "import warnings; warnings.warn({secret!r})",
    ],
)
def test_secrets_of_the_settings_are_nowhere(code: str, style: str) -> None:
    secrets = ("redis-password", "database-password", "access-key-of-s3", "secret-key-of-s3")
    text = written(code.format(secret=", ".join(secrets)), EIGENWARP_LOG_FORMAT=style, **SECRETS)
    assert text.count("***") >= len(secrets)
    for secret in secrets:
        assert secret not in text


@pytest.mark.parametrize(
    ("text", "kept", "hidden"),
    [
        ("postgresql://user:hunter22@host/db", "postgresql://user:***@host/db", "hunter22"),
        ("redis://:hunter22@host:6379", "redis://:***@host:6379", "hunter22"),
        ("Authorization: Bearer abcdefgh.ijkl", "Bearer ***", "abcdefgh"),
        ("key ew_0123456789ab_abcDEF-_123", "ew_0123456789ab_***", "abcDEF"),
        ("eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl", "***", "c2lnbmF0"),
        ("/b/k?X-Amz-Credential=me%2Fx&X-Amz-Signature=0123abcd&x=1", "Signature=***&x=1", "0123abcd"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_the_rest_kept(text: str, kept: str, hidden: str) -> None:
    (line,) = lines(f"log.info('seen', what={text!r})")
    assert kept in line["what"]
    assert hidden not in json.dumps(line)


@pytest.mark.parametrize("name", ["password", "api_key", "Authorization", "set-cookie", "secret_hash", "credentials"])
def test_what_stands_under_the_name_of_a_secret_is_hidden(name: str) -> None:
    (line,) = lines(f"log.info('seen', **{{{name!r}: 'x'}}, headers={{{name!r}: 'x'}}, token=3)")
    assert line[name] == line["headers"][name] == "***"
    assert line["token"] == 3


def test_access_lines_of_uvicorn_and_the_statements_of_sqlalchemy_are_not_written() -> None:
    code = """
logging.getLogger("uvicorn.access").info("GET /subjects/x")
for name in ("sqlalchemy.engine.Engine", "httpx", "urllib3.connectionpool", "kombu"):
    logging.getLogger(name).info("everything")
log.debug("details")
log.info("kept")
"""
    assert [line["event"] for line in lines(code)] == ["kept"]
    assert [line["event"] for line in lines(code, EIGENWARP_LOG_LEVEL="DEBUG")] == ["details", "kept"]
    assert lines(code, EIGENWARP_LOG_LEVEL="WARNING") == []


def test_text_is_for_people() -> None:
    text = written('log.info("volume stored", bytes=12)', EIGENWARP_LOG_FORMAT="text")
    assert "volume stored" in text
    assert "bytes=12" in text
    assert "\x1b[" not in text


def test_configuring_again_doubles_nothing() -> None:
    code = 'configure_logging(load_settings()); log.info("once"); logging.getLogger("x").info("once")'
    assert len(lines(code)) == 2
