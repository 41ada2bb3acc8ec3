"""A subject's coefficients over the years, and their erasure everywhere."""

import csv
import io
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from eigenwarp.schemas.subjects import Erasure, History
from eigenwarp.volume.nifti import segmentation_to_bytes, volume_to_bytes
from tests.integration.deployment import Deployment
from tests.integration.http_calls import HttpCalls, problem_code
from tests.servers.processes import wait_until
from tests.tiny_bundle import blob

SUBJECT = "subject-of-the-erasure-test"
YEARS = (2021, 2019, 2023)


@pytest.fixture(scope="module")
def jobs(calls: HttpCalls) -> dict[int, str]:
    """A projection for each year, and what else is held on the subject."""
    found = {}
    for year in YEARS:
        volume = calls.upload(volume_to_bytes(blob(year)[0]), subject=SUBJECT)
        acquired = datetime(year, 5, 1, tzinfo=UTC).isoformat()
        body = {"volume": volume, "subject": SUBJECT, "acquired_at": acquired, "model": "tiny"}
        found[year] = calls.submit("/project", body)
    for job_id in found.values():
        calls.succeeded(job_id)
    return found


def test_the_history_is_in_the_order_of_acquisition(calls: HttpCalls, jobs: dict[int, str]) -> None:
    answer = calls.http.get(f"/subjects/{SUBJECT}/coefficients")
    assert answer.status_code == 200, answer.text
    history = History.model_validate_json(answer.content)
    assert [row.job for row in history.rows] == [jobs[year] for year in sorted(YEARS)]
    for row in history.rows:
        assert row.projection == calls.job(row.job).projection


def test_the_history_as_csv_tells_the_same(calls: HttpCalls, jobs: dict[int, str]) -> None:
    path = f"/subjects/{SUBJECT}/coefficients"
    history = History.model_validate_json(calls.http.get(path).content)
    answer = calls.http.get(path, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["job"] for row in rows] == [row.job for row in history.rows]
    for told, row in zip(rows, history.rows, strict=True):
        assert row.acquired_at is not None
        assert datetime.fromisoformat(told["acquired_at"]) == row.acquired_at
        for k, coefficient in enumerate(row.projection.coefficients, start=1):
            assert float(told[f"a_{k}"]) == pytest.approx(coefficient)


def test_erasure_leaves_nothing_in_database_store_and_streams(
    calls: HttpCalls, deployment: Deployment, jobs: dict[int, str]
) -> None:
    """Found by their ids, in every row of every table, in every key of the object store and of Redis."""
    moving = calls.upload(volume_to_bytes(blob(31)[0]), subject=SUBJECT)
    labels = calls.upload(segmentation_to_bytes(blob(31)[1]), "segmentation", subject=SUBJECT)
    unrelated = calls.upload(volume_to_bytes(blob(32)[0]))
    body = {"moving": moving, "fixed": unrelated, "moving_segmentation": labels, "model": "tiny"}
    registered = calls.succeeded(calls.submit("/register", body))
    calls.result(registered, "field")
    other = calls.succeeded(
        calls.submit("/project", {"volume": unrelated, "subject": "another-subject", "model": "tiny"})
    )
    content = volume_to_bytes(blob(33)[0])
    ticket = calls.http.post("/volumes/uploads", json={"kind": "image", "bytes": len(content), "subject": SUBJECT})
    assert ticket.status_code == 201, ticket.text
    volumes = [calls.job(job_id).request.model_dump()["volume"] for job_id in jobs.values()]
    contents = [volume.removeprefix("sha256:") for volume in (*volumes, moving, labels)]
    # Of an upload a number remains that leads nowhere, so that bytes that come late are deleted as well.
    upload = f"uploads: ({ticket.json()['upload']}"
    traces = [SUBJECT, *jobs.values(), registered.id, *contents, upload]
    held = _held(deployment)
    for trace in traces:
        assert any(trace in place for place in held), f"the search finds {trace} while it is there"

    answer = calls.http.delete(f"/subjects/{SUBJECT}")
    assert answer.status_code == 200, answer.text
    erasure = Erasure.model_validate_json(answer.content)
    assert (erasure.volumes, erasure.jobs, erasure.coefficients) == (5, 4, 3)

    def left() -> list[str]:
        return [place for place in _held(deployment) if any(trace in place for trace in traces)]

    wait_until(lambda: not left(), "nothing is left", seconds=15)
    gone = calls.http.get(f"/subjects/{SUBJECT}/coefficients")
    assert (gone.status_code, problem_code(gone)) == (404, "subject-unknown")
    assert calls.http.get(f"/jobs/{registered.id}").status_code == 404
    assert calls.http.get(f"/volumes/{moving}").status_code == 404
    assert calls.job(other.id).state == "succeeded", "another subject's is untouched"
    assert calls.http.get(f"/volumes/{unrelated}").status_code == 200


def _held(deployment: Deployment) -> list[str]:
    """Every row of every table, every key of the object store, and every key of Redis with its content."""
    url = deployment.environment["EIGENWARP_DATABASE_URL"]
    found = []
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(tables) > 5
        for (table,) in tables:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
            found += [f"{table}: {row}" for (row,) in rows]
    found += [f"object {info.key}" for info in deployment.objects.list("")]
    with deployment.redis.client() as client:
        for key in client.scan_iter("*"):
            kind = client.type(key)
            read = {
                "stream": client.xrange,
                "hash": client.hgetall,
                "list": lambda name: client.lrange(name, 0, -1),
                "set": client.smembers,
                "zset": lambda name: client.zrange(name, 0, -1),
                "string": client.get,
            }[kind]
            found.append(f"redis {key}: {read(key)}")
    return found
