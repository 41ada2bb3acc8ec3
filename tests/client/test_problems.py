"""What the service answers becomes the error that this process would have raised itself."""

import json

import pytest

from eigenwarp import errors
from eigenwarp.client.problems import error_of_answer, error_of_problem
from eigenwarp.errors import EigenwarpError, ServiceError
from eigenwarp.schemas.problem import InvalidPart
from eigenwarp.schemas.problem_types import problem, problem_of

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EigenwarpError)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.code)
def test_each_error_comes_back_as_it_left(kind: type[EigenwarpError]) -> None:
    sent = problem_of(kind("7 voxels, the limit is 6"))
    found = error_of_answer("GET /x", sent.status, sent.model_dump_json().encode())
    assert (type(found), found.detail) == (kind, "7 voxels, the limit is 6")
    again = error_of_problem(sent)
    assert (type(again), again.detail) == (kind, "7 voxels, the limit is 6")


def test_an_unknown_code_is_told_with_its_status() -> None:
    found = error_of_answer("GET /x", 418, problem("no-such-code", "short and stout").model_dump_json().encode())
    assert isinstance(found, ServiceError)
    assert found.status == 418
    assert "short and stout" in found.detail
    assert "no-such-code" in found.detail


def test_a_newer_services_additions_are_passed_over() -> None:
    content = {"type": "https://example.org/problems/job-unknown", "detail": "no job x", "status": 404, "balance": 30}
    assert isinstance(error_of_answer("GET /x", 404, json.dumps(content).encode()), errors.JobUnknownError)


def test_the_parts_that_do_not_hold_are_named() -> None:
    parts = [InvalidPart(location="body.options.refine", message="one of none, latent, field")]
    sent = problem("request-invalid", "the request does not hold", errors=parts)
    found = error_of_answer("POST /register", 422, sent.model_dump_json().encode())
    assert "body.options.refine: one of none, latent, field" in found.detail


@pytest.mark.parametrize("content", [b"", b"<html>Bad Gateway</html>", b"[1]", b'{"detail": 3}', b"\xff\xfe"])
def test_what_a_proxy_answers_is_a_service_error(content: bytes) -> None:
    found = error_of_answer("GET /x", 502, content)
    assert isinstance(found, ServiceError)
    assert found.status == 502
    assert "GET /x" in found.detail
