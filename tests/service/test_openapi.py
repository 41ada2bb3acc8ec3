"""The interface's description: every call, every answer, every problem."""

from collections.abc import Iterator

from eigenwarp.schemas.problem_types import PROBLEM_TYPES
from eigenwarp.settings import Settings
from service.app import create_app

OPERATIONS = (
    "POST /volumes",
    "POST /volumes/uploads",
    "POST /volumes/uploads/{upload}/complete",
    "GET /volumes/{volume_id}",
    "GET /volumes/{volume_id}/content",
    "DELETE /volumes/{volume_id}",
    "POST /register",
    "POST /project",
    "POST /reconstruct",
    "POST /components/{k}/warp",
    "GET /jobs",
    "GET /jobs/{job_id}",
    "GET /jobs/{job_id}/events",
    "POST /jobs/{job_id}/cancel",
    "GET /jobs/{job_id}/results/{name}",
    "GET /components",
    "GET /components/{k}",
    "GET /components/{k}/deformation",
    "GET /components/{k}/figure.png",
    "GET /models",
    "GET /models/{name}/{version}",
    "GET /models/{name}/{version}/template",
    "GET /models/{name}/{version}/template/labels",
    "GET /subjects/{subject}/coefficients",
    "DELETE /subjects/{subject}",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
)


def test_every_answer_is_described_with_its_problems(settings: Settings) -> None:
    description = create_app(settings).openapi()
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    assert set(OPERATIONS) <= {name for name, _ in operations}
    assert len({operation["operationId"] for _, operation in operations}) == len(operations)
    for name, operation in operations:
        assert operation["summary"], name
        assert operation["tags"], name
        for status, response in operation["responses"].items():
            assert "X-Request-Id" in response["headers"], name
            if int(status) < 400:
                continue
            (media_type,) = response["content"]
            assert media_type == "application/problem+json", (name, status)
            for code, example in response["content"][media_type]["examples"].items():
                assert example["value"]["type"] == f"/problems/{code}"
                assert PROBLEM_TYPES[code].status == int(status)
    assert "HTTPValidationError" not in description["components"]["schemas"]
    for schema in _references(description):
        assert schema.removeprefix("#/components/schemas/") in description["components"]["schemas"]


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
