"""Large files: put to a signed URL of this server, or to an object store's own, and completed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from eigenwarp.settings import Settings, load_settings
from service.signed_put import SignedPut
from tests.servers.redis import RedisServer
from tests.servers.s3 import S3Server, running_s3
from tests.service.files import image, left_behind
from tests.service.problems import require_problem
from tests.service.web_server import WebServer, running_web


def ask(client: httpx.Client, content: bytes, **wanted: object) -> dict[str, str]:
    answer = client.post("/volumes/uploads", json={"bytes": len(content), **wanted})
    assert answer.status_code == 201, answer.text
    ticket: dict[str, str] = answer.json()
    assert answer.headers["Location"] == f"/volumes/uploads/{ticket['upload']}/complete"
    return ticket


def complete(client: httpx.Client, ticket: dict[str, str]) -> httpx.Response:
    return client.post(f"/volumes/uploads/{ticket['upload']}/complete")


def test_a_file_is_put_completed_and_then_a_volume_like_any_other(web: WebServer, settings: Settings) -> None:
    with web.client() as client:
        ticket = ask(client, image(), kind="image", subject="s-1")
        assert ticket["url"].startswith(web.url)
        require_problem(complete(client, ticket), 409, "upload-incomplete")
        assert httpx.put(ticket["url"], content=image()).status_code == 204
        made = complete(client, ticket)
        assert (made.status_code, made.json()["subject"]) == (201, "s-1")
        same = client.post("/volumes", files={"file": ("a", image())})
        assert (same.status_code, same.json()["id"]) == (200, made.json()["id"])
        require_problem(complete(client, ticket), 404, "upload-unknown")
    assert [name.partition("/")[0] for name in left_behind(web.resources, settings)] == ["volumes"]


def test_a_url_holds_once_for_its_file_its_length_and_its_time(web: WebServer, settings: Settings) -> None:
    with web.client() as client:
        ticket = ask(client, image())
        other = ask(client, image())
        parts = urlsplit(ticket["url"])
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        base = f"{parts.scheme}://{parts.netloc}"
        for path, changed in (
            (parts.path, {"bytes": str(int(query["bytes"]) + 1)}),
            (parts.path, {"expires": str(int(query["expires"]) + 1)}),
            (parts.path, {"signature": query["signature"][::-1]}),
            (urlsplit(other["url"]).path, {}),
        ):
            forged = client.put(f"{base}{path}?{urlencode(query | changed)}", content=image())
            require_problem(forged, 404, "upload-unknown")
        require_problem(client.put(parts.path, content=image()), 422, "request-invalid")
        require_problem(client.put(ticket["url"], content=image() + b"x"), 413, "volume-too-large")
        require_problem(client.put(ticket["url"], content=iter([image(), b"x"])), 413, "volume-too-large")
        assert left_behind(web.resources, settings) == []
        assert client.put(ticket["url"], content=image()).status_code == 204
        require_problem(client.put(ticket["url"], content=image()), 404, "upload-unknown")
        late = datetime.now(UTC) - timedelta(seconds=1)
        gone = web.resources.uploads.path(other["upload"], len(image()), late)
        require_problem(client.put(gone, content=image()), 404, "upload-unknown")


def test_a_subjects_bytes_that_were_put_but_not_completed_go_with_its_erasure(
    web: WebServer, settings: Settings
) -> None:
    with web.client() as client:
        ticket = ask(client, image(), subject="s-erased")
        assert client.put(ticket["url"], content=image()).status_code == 204
        erasure = client.delete("/subjects/s-erased").json()
        assert (erasure["objects"], erasure["pending"]) == (1, 0)
        assert left_behind(web.resources, settings) == []
        require_problem(client.put(ticket["url"], content=image()), 404, "upload-unknown")
        require_problem(complete(client, ticket), 404, "upload-unknown")


def test_a_file_that_is_refused_is_gone_with_its_upload(web: WebServer, settings: Settings) -> None:
    with web.client() as client:
        ticket = ask(client, b"no NIfTI at all")
        assert client.put(ticket["url"], content=b"no NIfTI at all").status_code == 204
        require_problem(complete(client, ticket), 422, "volume-not-nifti")
        require_problem(complete(client, ticket), 404, "upload-unknown")
        require_problem(client.put(ticket["url"], content=image()), 404, "upload-unknown")
        assert left_behind(web.resources, settings) == []


def test_an_upload_is_completed_once(web: WebServer, settings: Settings) -> None:
    with web.client() as client:
        ticket = ask(client, image())
        client.put(ticket["url"], content=image())

    def post(_: int) -> int:
        with web.client() as client:
            return complete(client, ticket).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(post, range(4))) == [201, 404, 404, 404]
    assert len(left_behind(web.resources, settings)) == 1


def test_what_cannot_be_promised_is_refused(web: WebServer) -> None:
    with web.client() as client:
        for body in ({}, {"bytes": 0}, {"bytes": "many"}, {"bytes": 9, "kind": "mesh"}, {"bytes": 9, "subject": "a b"}):
            require_problem(client.post("/volumes/uploads", json=body), 422, "request-invalid")
        require_problem(client.post("/volumes/uploads", json={"bytes": 1 << 40}), 413, "volume-too-large")
        require_problem(client.post("/volumes/uploads", content=b"9"), 415, "media-type-unsupported")
        require_problem(client.post(f"/volumes/uploads/upl_{32 * '0'}/complete"), 404, "upload-unknown")


def test_web_processes_that_share_an_object_store_take_each_other_s_urls(tmp_path: Path) -> None:
    late = datetime.now(UTC) + timedelta(minutes=1)

    def signed(folder: str, secret: str | None = None) -> str:
        store = {} if secret is None else {"s3_endpoint": "store:9000", "s3_access_key": "a", "s3_secret_key": secret}
        return SignedPut(load_settings({}, home=tmp_path / folder, **store)).path("upl_1", 5, late)

    assert signed("one") == signed("one")
    assert signed("one", "shared") == signed("two", "shared")
    assert len({signed("one"), signed("two"), signed("one", "shared"), signed("one", "another")}) == 4


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def with_s3(tmp_path: Path, shared_redis: RedisServer, s3: S3Server) -> Iterator[WebServer]:
    """A server over a real S3 server that clients reach themselves."""
    public = {"EIGENWARP_S3_PUBLIC_ENDPOINT": f"http://{s3.environment['EIGENWARP_S3_ENDPOINT']}"}
    with running_web(
        load_settings(s3.environment | public, home=tmp_path / "home", redis_url=shared_redis.url)
    ) as server:
        yield server


def test_with_s3_files_go_to_the_store_and_come_from_it(with_s3: WebServer, s3: S3Server) -> None:
    with with_s3.client() as client:
        ticket = ask(client, image())
        assert urlsplit(ticket["url"]).netloc == s3.environment["EIGENWARP_S3_ENDPOINT"]
        require_problem(complete(client, ticket), 409, "upload-incomplete")
        assert httpx.put(ticket["url"], content=image()).status_code == 200
        made = complete(client, ticket)
        assert made.status_code in (200, 201), made.text
        path = f"/volumes/{made.json()['id']}/content"
        sent = client.get(path)
        assert (sent.status_code, sent.headers["Cache-Control"]) == (307, "no-store")
        down = httpx.get(sent.headers["Location"])
        assert (down.status_code, len(down.content)) == (200, made.json()["bytes"])
        assert down.headers["Content-Disposition"].startswith("attachment")
        assert httpx.get(sent.headers["Location"], headers={"Range": "bytes=2-5"}).content == down.content[2:6]
        # What is asked of us alone stays with us.
        assert client.get(path, headers={"If-Match": '"x"'}).status_code == 412
        assert httpx.get(sent.headers["Location"].partition("?")[0]).status_code == 403
        client.delete(f"/volumes/{made.json()['id']}")
        assert httpx.get(sent.headers["Location"]).status_code == 404


def test_with_s3_more_than_was_announced_is_refused_at_completion(with_s3: WebServer) -> None:
    with with_s3.client() as client:
        ticket = ask(client, b"x" * 10)
        assert httpx.put(ticket["url"], content=image()).status_code == 200
        require_problem(complete(client, ticket), 413, "volume-too-large")
        assert list(with_s3.resources.objects.list("uploads/")) == []
