"""Erasure: nothing that is kept anywhere holds the subject's id, its volumes' ids or anything made of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, select

from eigenwarp.errors import LeaseLostError
from eigenwarp.queue import recover
from eigenwarp.schemas.jobs import JobEvent
from eigenwarp.schemas.volumes import UploadRequest
from eigenwarp.settings import Settings
from eigenwarp.stores.database.records import UploadRecord
from tests.servers.postgres import running_postgres
from tests.servers.redis import RedisServer
from tests.servers.s3 import S3Server, running_s3
from tests.service.stored import finish_projection, project, projection, store_volume, submit_projection
from tests.service.web_server import WebServer, running_web

SUBJECT, OTHER = "subject-to-erase", "subject-to-keep"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, S3Server]]:
    folder = tmp_path_factory.mktemp("servers")
    (folder / "postgres").mkdir()
    (folder / "s3").mkdir()
    with running_postgres(folder / "postgres") as postgres, running_s3(folder / "s3") as s3:
        yield postgres.new_database(), s3


@pytest.fixture(params=["one machine", "servers"])
def deployment(request: pytest.FixtureRequest, settings: Settings) -> Iterator[WebServer]:
    """SQLite and a folder; PostgreSQL and S3."""
    chosen = settings
    if request.param == "servers":
        url, s3 = request.getfixturevalue("servers")
        chosen = Settings.model_validate(
            {
                **settings.model_dump(),
                "database_url": url,
                "s3_endpoint": s3.endpoint,
                "s3_access_key": s3.access_key,
                "s3_secret_key": s3.secret_key,
                "s3_secure": False,
            }
        )
    with running_web(chosen) as web:
        web.resources.database.migrate()
        yield web


def everything(web: WebServer) -> str:
    """All rows of all tables, all keys and contents of the object store, all that is in Redis, as one text."""
    resources = web.resources
    engine = create_engine(resources.settings.database)
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        found = [
            f"{table}: {tuple(row)}" for table in tables.tables.values() for row in connection.execute(select(table))
        ]
    engine.dispose()
    for info in resources.objects.list(""):
        found.append(f"{info.key}: {resources.objects.get(info.key)!r}")
    return "\n".join(found)


def in_redis(server: RedisServer) -> str:
    with server.client() as client:
        return "\n".join(f"{key}: {client.dump(key)!r}" for key in client.scan_iter())


def arrange(web: WebServer) -> list[str]:
    """All that there can be of a subject; ids that must be gone afterwards, the subject's and all that came of it."""
    resources = web.resources
    done = project(resources, SUBJECT, projection(1.0), datetime(2025, 1, 1, tzinfo=UTC))
    volume = store_volume(resources, SUBJECT)
    queued = submit_projection(resources, volume, SUBJECT)
    running = submit_projection(resources, volume, None)
    claim = resources.database.jobs.claim(running, "a-worker", 60.0, 3)
    assert claim is not None
    resources.objects.put(f"jobs/{running}/{claim.token}/half-written", f"of {SUBJECT}".encode())
    upload = f"upl_{'5' * 32}"
    now = datetime.now(UTC)
    request = UploadRequest(bytes=10, subject=SUBJECT)
    resources.database.uploads.create(
        UploadRecord(upload, request, f"uploads/{upload}", "tests", now, now + timedelta(minutes=5))
    )
    for job in (done, queued, running):
        resources.events.publish(JobEvent(job=job, state="queued", attempt=0, at=now))
    # Accesses leave its id in the audit trail, too.
    with web.client() as client:
        assert client.get(f"/subjects/{SUBJECT}/coefficients").status_code == 200
        assert client.get(f"/volumes/{volume}/content", follow_redirects=True).status_code == 200
        assert client.get(f"/jobs/{done}/results/coefficients", follow_redirects=True).status_code == 200
    volumes = [row["volume"] for row in (job_request(web, job) for job in (done, queued))]
    return [SUBJECT, done, queued, running, *volumes, *(one.removeprefix("sha256:") for one in volumes)]


def job_request(web: WebServer, job: str) -> dict[str, str]:
    return web.resources.database.jobs.get(job).request.model_dump()


def test_nothing_is_left_of_an_erased_subject(deployment: WebServer, shared_redis: RedisServer) -> None:
    gone = arrange(deployment)
    kept = project(deployment.resources, OTHER, projection(7.0))
    before = everything(deployment)
    assert all(one in before for one in gone), "the search does not find what is there"

    with deployment.client() as client:
        answer = client.delete(f"/subjects/{SUBJECT}")
        assert answer.status_code == 200, answer.text
        erased = answer.json()
        assert (erased["volumes"], erased["jobs"], erased["coefficients"], erased["pending"]) == (2, 3, 1, 0)
        assert client.get(f"/subjects/{SUBJECT}/coefficients").status_code == 404
        assert client.delete(f"/subjects/{SUBJECT}").status_code == 404
        for one in gone:
            if one.startswith("job_"):
                assert client.get(f"/jobs/{one}").status_code == 404
            if one.startswith("sha256:"):
                assert client.get(f"/volumes/{one}/content").status_code == 404
        assert client.get(f"/subjects/{OTHER}/coefficients").json()["rows"][0]["job"] == kept

    # A worker that has not noticed yet may still write under keys of these jobs; that is looked after for an hour.
    later = datetime.now(UTC) + timedelta(hours=3)
    resources = deployment.resources
    recover(resources.database, resources.queue, resources.objects, resources.settings, later)
    after, redis = everything(deployment), in_redis(shared_redis)
    for one in gone:
        assert one not in after
        assert one not in redis
    assert kept in after


def test_a_worker_that_did_not_notice_cannot_bring_anything_back(deployment: WebServer) -> None:
    resources = deployment.resources
    job = submit_projection(resources, store_volume(resources, SUBJECT), SUBJECT)
    claim = resources.database.jobs.claim(job, "a-worker", 60.0, 3)
    assert claim is not None
    with deployment.client() as client:
        assert client.delete(f"/subjects/{SUBJECT}").status_code == 200
    late = f"jobs/{job}/{claim.token}/coefficients.json"
    resources.objects.put(late, b"written after the erasure")
    with pytest.raises(LeaseLostError):
        resources.database.jobs.succeed(job, claim.token, [], projection=projection(1.0))
    recover(
        resources.database,
        resources.queue,
        resources.objects,
        resources.settings,
        datetime.now(UTC) + timedelta(hours=3),
    )
    assert resources.objects.stat(late) is None
    with deployment.client() as client:
        assert client.get(f"/subjects/{SUBJECT}/coefficients").status_code == 404


def test_no_byte_stays_in_the_data_folder(settings: Settings) -> None:
    with running_web(settings) as web:
        gone = arrange(web)
        with web.client() as client:
            assert client.delete(f"/subjects/{SUBJECT}").status_code == 200
        resources = web.resources
        later = datetime.now(UTC) + timedelta(hours=3)
        recover(resources.database, resources.queue, resources.objects, settings, later)
    for file in files(settings.home):
        content = file.read_bytes()
        for one in gone:
            assert one.encode() not in content, f"{one} in {file.name}"
            assert one not in str(file)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_volume_is_erased_with_all_that_was_made_of_it(deployment: WebServer) -> None:
    resources = deployment.resources
    volume = store_volume(resources)
    job = submit_projection(resources, volume, OTHER)
    with deployment.client() as client:
        refused = client.delete(f"/volumes/{volume}")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/volume-in-use")
        finish_projection(resources, job, projection(1.0))
        assert client.delete(f"/volumes/{volume}").status_code == 204
        assert client.delete(f"/volumes/{volume}").status_code == 404
    after = everything(deployment)
    assert volume.removeprefix("sha256:") not in after
    assert job not in after


def test_a_store_that_is_away_is_erased_once_it_is_back(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "s3").mkdir()
    with running_s3(tmp_path / "s3") as s3:
        chosen = Settings.model_validate(
            {
                **settings.model_dump(),
                "s3_endpoint": s3.endpoint,
                "s3_access_key": s3.access_key,
                "s3_secret_key": s3.secret_key,
                "s3_secure": False,
                "recovery_seconds": 3600,
            }
        )
        with running_web(chosen) as web:
            resources = web.resources
            job = project(resources, SUBJECT, projection(1.0))
            s3.kill()
            with web.client() as client:
                answer = client.delete(f"/subjects/{SUBJECT}")
                assert answer.status_code == 200, answer.text
                assert answer.json()["pending"] > 0
                assert client.get(f"/subjects/{SUBJECT}/coefficients").status_code == 404
            s3.start()
            assert [info.key for info in resources.objects.list(f"jobs/{job}/")] != []
            recover(resources.database, resources.queue, resources.objects, chosen)
            assert [info.key for info in resources.objects.list("")] == []
