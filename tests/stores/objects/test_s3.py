"""What only an S3 server does: presigned URLs, keys, and being away."""

import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from minio import Minio

from eigenwarp.errors import OptionInvalidError, StoreUnavailableError
from eigenwarp.stores.objects import S3Store
from tests.servers.ports import free_port
from tests.servers.processes import wait_until
from tests.servers.s3 import S3Server
from tests.stores.objects.conftest import MakeS3

LARGE = 24 << 20


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client without any key."""
    with httpx.Client(timeout=30.0) as client:
        yield client


def test_a_presigned_url_downloads_under_the_name_and_type_asked_for(s3: S3Store, http: httpx.Client) -> None:
    s3.put("jobs/a/1/field", b"content", "application/octet-stream")
    url = s3.presigned_get("jobs/a/1/field", timedelta(minutes=5), "field.nii.gz", "application/gzip")
    assert url is not None
    answer = http.get(url)
    assert (answer.status_code, answer.content) == (200, b"content")
    assert answer.headers["content-type"] == "application/gzip"
    assert answer.headers["content-disposition"] == 'attachment; filename="field.nii.gz"'
    assert http.get(url, headers={"Range": "bytes=3-"}).content == b"tent"
    assert http.get(url.replace("jobs/a", "jobs/b")).status_code == 403


def test_a_presigned_url_uploads_one_object(s3: S3Store, http: httpx.Client) -> None:
    url = s3.presigned_put("uploads/upl_1", timedelta(minutes=5))
    assert url is not None
    assert http.put(url, content=b"uploaded").status_code == 200
    assert s3.get("uploads/upl_1") == b"uploaded"
    assert http.put(url.replace("upl_1", "upl_2"), content=b"x").status_code == 403
    assert http.get(url).status_code == 403
    assert s3.stat("uploads/upl_2") is None


def test_an_upload_by_url_needs_no_bucket_made_before(make_s3: MakeS3, http: httpx.Client) -> None:
    store = make_s3("made-by-presigning")
    url = store.presigned_put("uploads/upl_1", timedelta(minutes=5))
    assert url is not None
    assert http.put(url, content=b"uploaded").status_code == 200
    assert store.get("uploads/upl_1") == b"uploaded"


def test_a_presigned_url_runs_out(s3: S3Store, http: httpx.Client) -> None:
    s3.put("key", b"content")
    url = s3.presigned_get("key", timedelta(seconds=1), "name", "text/plain")
    assert url is not None
    wait_until(lambda: http.get(url).status_code == 403, "the URL has run out", 20)


def test_a_presigned_url_names_the_public_endpoint(make_s3: MakeS3) -> None:
    store = make_s3(public_endpoint="https://objects.example.org")
    store.put("key", b"content")
    for url in (
        store.presigned_get("key", timedelta(minutes=5), "name", "text/plain"),
        store.presigned_put("key", timedelta(minutes=5)),
    ):
        assert url is not None
        assert url.startswith("https://objects.example.org/contract/key?")


def test_without_a_public_endpoint_there_are_no_urls(make_s3: MakeS3) -> None:
    store = make_s3(public_endpoint=None)
    assert store.presigned_get("key", timedelta(minutes=5), "name", "text/plain") is None
    assert store.presigned_put("key", timedelta(minutes=5)) is None


@pytest.mark.parametrize("filename", ['a"; x="b', "a\r\nSet-Cookie: x", "../a", "ä"])
def test_a_download_name_that_is_more_than_a_name_is_refused(s3: S3Store, filename: str) -> None:
    with pytest.raises(OptionInvalidError, match="file name"):
        s3.presigned_get("key", timedelta(minutes=5), filename, "text/plain")


def test_anonymous_callers_get_nothing(s3: S3Store, s3_server: S3Server, http: httpx.Client) -> None:
    s3.put("key", b"content")
    url = f"{s3_server.url}/contract/key"
    for answer in (
        http.get(url),
        http.put(url, content=b"x"),
        http.delete(url),
        http.get(f"{s3_server.url}/contract/"),
    ):
        assert answer.status_code == 403
    assert s3.get("key") == b"content"


def test_wrong_keys_are_said_without_telling_them(make_s3: MakeS3) -> None:
    store = make_s3(access_key="who-is-this", secret_key="not-the-secret")
    for call in (lambda: store.put("key", b"x"), lambda: store.get("key"), store.check):
        with pytest.raises(StoreUnavailableError, match="refused") as refused:
            call()
        assert "not-the-secret" not in str(refused.value)


def test_a_bucket_that_is_taken_away_is_made_again(make_s3: MakeS3, s3_server: S3Server) -> None:
    store = make_s3("taken-away")
    store.put("key", b"x")
    store.delete("key")
    Minio(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, secure=False).remove_bucket("taken-away")
    assert store.stat("key") is None
    assert list(store.list("")) == []
    store.put("key", b"y")
    assert store.get("key") == b"y"


@pytest.mark.parametrize("endpoint", ["https://objects.example.org/path", "https://objects.example.org:port"])
def test_a_public_endpoint_that_cannot_be_signed_is_refused(make_s3: MakeS3, endpoint: str) -> None:
    with pytest.raises(OptionInvalidError):
        make_s3(public_endpoint=endpoint)


def every_call(store: S3Store, folder: Path) -> list[Callable[[], object]]:
    return [
        lambda: store.put("key", b"x"),
        lambda: store.get("key"),
        lambda: store.stream("key"),
        lambda: store.fetch("key", folder / "file"),
        lambda: store.stat("key"),
        lambda: list(store.list("")),
        lambda: store.delete("key"),
        lambda: store.delete_prefix("folder/"),
        store.check,
    ]


def test_a_server_that_never_was_there_is_noticed_by_every_call(make_s3: MakeS3, tmp_path: Path) -> None:
    store = make_s3(endpoint=f"127.0.0.1:{free_port()}")
    for call in [*every_call(store, tmp_path), lambda: store.presigned_put("key", timedelta(minutes=1))]:
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            call()
    assert not (tmp_path / "file").exists()


def test_a_server_that_is_silent_is_given_up(make_s3: MakeS3, s3_server: S3Server) -> None:
    store = make_s3(answer_seconds=0.3)
    store.put("key", b"content")
    s3_server.process.send(signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            store.get("key")
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            store.put("key", b"x")
    finally:
        s3_server.process.send(signal.SIGCONT)
    wait_until(lambda: store.get("key") in (b"content", b"x"), "it answers again")


def test_a_server_killed_in_the_middle_is_noticed_and_used_again_once_it_is_back(
    make_s3: MakeS3, s3_server: S3Server, tmp_path: Path
) -> None:
    store = make_s3("outlives-a-kill")
    store.put("key", bytes(LARGE))
    blocks = store.stream("key")
    next(blocks)
    s3_server.kill()
    try:
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            list(blocks)
        for call in every_call(store, tmp_path):
            with pytest.raises(StoreUnavailableError, match="does not answer"):
                call()
        assert not (tmp_path / "file").exists()
    finally:
        s3_server.start()
    assert store.fetch("key", tmp_path / "file") == LARGE
    store.put("key", b"new")
    assert store.get("key") == b"new"
    store.check()
