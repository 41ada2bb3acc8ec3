"""Errors as answers: ``application/problem+json`` (RFC 9457) for all that is refused, and for our own defects."""

from collections.abc import Iterable, Mapping

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from eigenwarp.errors import EigenwarpError, RateLimitedError
from eigenwarp.log import get_logger
from eigenwarp.schemas.problem import InvalidPart, Problem
from eigenwarp.schemas.problem_types import problem, problem_of
from service.refusals import HttpRefusal, RequestInvalidError

PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = {"store-unavailable": 5, "queue-full": 10, "not-ready": 2, "rate-limited": 1}
_CODE_OF_STATUS = {
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "request-too-large",
    415: "media-type-unsupported",
}
_MOST_ERRORS = 20

_log = get_logger(__name__)


def install_problems(app: FastAPI) -> None:
    """Every error of this application is answered as a problem."""
    app.add_exception_handler(EigenwarpError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


def request_id_of(request: Request) -> str | None:
    """The id that the request was given on its way in."""
    found = getattr(request.state, "request_id", None)
    return found if isinstance(found, str) else None


def answer(found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as an answer."""
    return Response(
        found.model_dump_json(exclude_none=True),
        status_code=found.status,
        headers=dict(headers or {}),
        media_type=PROBLEM_MEDIA_TYPE,
    )


def answer_error(error: EigenwarpError, request_id: str | None) -> Response:
    """One of our own errors as an answer, with the headers that its kind brings."""
    errors = error.errors[:_MOST_ERRORS] if isinstance(error, RequestInvalidError) else None
    headers = dict(error.headers) if isinstance(error, HttpRefusal) else {}
    if error.code in RETRY_AFTER_SECONDS:
        seconds = error.retry_after if isinstance(error, RateLimitedError) else RETRY_AFTER_SECONDS[error.code]
        headers["Retry-After"] = str(max(1, round(seconds + 0.499)))
    if error.code == "not-authenticated":
        headers["WWW-Authenticate"] = 'Bearer realm="eigenwarp"'
    return answer(problem_of(error, request_id, errors), headers)


def invalid_parts(error: RequestValidationError) -> list[InvalidPart]:
    """What pydantic found, without the values: they may be anything."""
    return [
        InvalidPart(location=".".join(str(part) for part in found["loc"]), message=str(found["msg"]))
        for found in error.errors()
    ]


async def _on_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, EigenwarpError):
        raise error
    answered = answer_error(error, request_id_of(request))
    if answered.status_code >= 500:
        _log.warning("refused", code=error.code, detail=error.detail)
    return answered


async def _on_invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return answer_error(RequestInvalidError(invalid_parts(error)), request_id_of(request))


async def _on_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    # The framework wraps what was raised while it read the body.
    if isinstance(error.__cause__, EigenwarpError):
        return await _on_error(request, error.__cause__)
    code = _CODE_OF_STATUS.get(error.status_code, "error")
    detail = {
        "not-found": "nothing is served under this path",
        "method-not-allowed": f"{request.method} is not offered here",
    }.get(code, str(error.detail))
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return answer(problem(code, detail, request_id_of(request)), headers)


def _allowed(request: Request) -> str:
    """Every method of the path: the framework knows those of the first route that has it."""
    routers: Iterable[APIRouter] = request.app.state.routers
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    path = request.scope["path"]
    return ", ".join(
        sorted({method for route in routes if route.path_regex.match(path) for method in route.methods or ()})
    )
