"""Refusals as they must look."""

import httpx


def require_problem(answer: httpx.Response, status: int, code: str) -> None:
    """The answer is a problem of that type, which tells its request and nothing of our inside."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    found = answer.json()
    assert (found["type"], found["status"]) == (f"/problems/{code}", status)
    assert found["instance"] == answer.headers["X-Request-Id"]
    assert found["detail"]
    assert found["title"]
    assert "Traceback" not in answer.text
