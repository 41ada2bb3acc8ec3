"""From the service's answers back to our own errors: a problem becomes the class that has its code."""

import json

from eigenwarp import errors
from eigenwarp.errors import EigenwarpError, RateLimitedError, ServiceError
from eigenwarp.schemas.problem import PROBLEM_PREFIX, Problem

_TEXT_SHOWN = 200

_CLASSES: dict[str, type[EigenwarpError]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EigenwarpError)
}


def error_of_answer(call: str, status: int, content: bytes) -> EigenwarpError:
    """The error that an answer stands for.

    Args:
        call: method and path, named where the answer says nothing itself.
        status: HTTP status, 400 and above.
        content: the body, problem+json or anything a proxy may send.
    """
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    # Read leniently: a newer service may say more than we know.
    if isinstance(found, dict) and isinstance(found.get("type"), str) and isinstance(found.get("detail"), str):
        return _error(found["type"], found["detail"] + _parts(found.get("errors")), status)
    text = content[:_TEXT_SHOWN].decode(errors="replace").strip()
    return ServiceError(f"{call}: the service answered {status}" + (f": {text}" if text else ""), status)


def error_of_problem(problem: Problem) -> EigenwarpError:
    """The error that ended a job."""
    return _error(problem.type, problem.detail, problem.status)


def _error(kind: str, detail: str, status: int) -> EigenwarpError:
    code = kind.rpartition(PROBLEM_PREFIX)[2]
    known = _CLASSES.get(code)
    if known is None:
        return ServiceError(f"{detail} ({code}, {status})", status)
    if issubclass(known, ServiceError):
        return known(detail, status)
    return RateLimitedError(detail) if known is RateLimitedError else known(detail)


def _parts(parts: object) -> str:
    """The parts of a request that do not hold, after the detail."""
    if not isinstance(parts, list):
        return ""
    named = [f"{part.get('location')}: {part.get('message')}" for part in parts if isinstance(part, dict)]
    return f" ({'; '.join(named)})" if named else ""
