"""A subject's history: in order, as JSON and as CSV with columns that stay where they are."""

import csv
import io
from datetime import UTC, datetime

import httpx
import pytest

from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.subjects import History, HistoryRow
from service.history_csv import history_csv
from tests.service.stored import project, projection
from tests.service.web_server import WebServer

SPRING, AUTUMN = datetime(2025, 4, 1, tzinfo=UTC), datetime(2025, 10, 1, tzinfo=UTC)
FIRST_COLUMNS = [
    "subject",
    "acquired_at",
    "recorded_at",
    "job",
    "volume",
    "model",
    "model_version",
    "mahalanobis",
    "mahalanobis_percentile",
    "reconstruction_residual",
]


def history(web: WebServer, path: str = "", **headers: str) -> httpx.Response:
    with web.client() as client:
        return client.get(f"/subjects/s-1/coefficients{path}", headers=headers)


def test_the_history_is_in_order_of_acquisition(web: WebServer) -> None:
    later = project(web.resources, "s-1", projection(2.0, 3.0), AUTUMN)
    undated = project(web.resources, "s-1", projection(4.0, 5.0))
    earlier = project(web.resources, "s-1", projection(0.0, 1.0), SPRING)
    project(web.resources, "s-2", projection(9.0, 9.0), SPRING)
    found = History.model_validate_json(history(web).content)
    assert found.subject == "s-1"
    assert [row.job for row in found.rows] == [earlier, later, undated]
    assert [row.projection.coefficients for row in found.rows] == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("", "*/*", "application/json"),
        ("", "application/json", "application/json"),
        ("", "text/csv", "text/csv; charset=utf-8"),
        ("", "text/csv;q=0.5, application/json", "application/json"),
        ("", "application/json;q=0.1, text/csv", "text/csv; charset=utf-8"),
        ("", "text/csv;q=nonsense", "application/json"),
        ("?format=csv", "application/json", "text/csv; charset=utf-8"),
        ("?format=json", "text/csv", "application/json"),
    ],
)
def test_the_kind_is_what_was_asked_for(web: WebServer, path: str, accept: str, kind: str) -> None:
    project(web.resources, "s-1", projection(1.0))
    answer = history(web, path, Accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert "Accept" in answer.headers["vary"]
    assert answer.headers["cache-control"] == "no-store"


def test_csv_holds_every_number_as_it_is(web: WebServer) -> None:
    job = project(web.resources, "s-1", projection(-0.1, 1e-17), SPRING)
    answer = history(web, "?format=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="s-1_coefficients.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["subject"], row["job"], row["acquired_at"]) == ("s-1", job, SPRING.isoformat())
    assert [float(row[name]) for name in ("a_1", "a_2", "z_1", "z_2")] == [-0.1, 1e-17, -0.05, 5e-18]
    assert float(row["mahalanobis"]) == 1.5


def test_columns_stay_where_they_are_whatever_the_models() -> None:
    other = ModelReference(name="larger", version="ba9876543210")
    lines = [projection(1.0, 2.0), projection(3.0, 4.0, 5.0, model=other)]
    document = History(
        subject="s-1",
        rows=[
            HistoryRow(acquired_at=None, recorded_at=SPRING, job="job_1", volume="sha256:1", projection=found)
            for found in lines
        ],
    )
    header, first, second = csv.reader(io.StringIO(history_csv(document)))
    assert header == [*FIRST_COLUMNS, "a_1", "a_2", "a_3", "z_1", "z_2", "z_3"]
    assert first[10:] == ["1.0", "2.0", "", "0.5", "1.0", ""]
    assert second[10:] == ["3.0", "4.0", "5.0", "1.5", "2.0", "2.5"]


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_text_is_taken_for_a_formula(name: str) -> None:
    found = projection(1.0).model_copy(update={"model": ModelReference(name=name, version="0")})
    document = History(
        subject="s-1",
        rows=[HistoryRow(acquired_at=None, recorded_at=SPRING, job="j", volume="v", projection=found)],
    )
    _, row = csv.reader(io.StringIO(history_csv(document)))
    assert row[5] == f"'{name}"


def test_of_an_unknown_subject_there_is_nothing(web: WebServer) -> None:
    answer = history(web)
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/subject-unknown"
