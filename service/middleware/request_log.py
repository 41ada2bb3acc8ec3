"""One line for each request, and the answer to a defect of ours. Neither holds a path's values, a query or a body."""

import time
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eigenwarp.log import get_logger
from eigenwarp.schemas.problem_types import problem_of
from service.problems import answer

_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_UNMATCHED = "unmatched"

_log = get_logger(__name__)


class RequestLogMiddleware:
    """Logs method, route template, status, milliseconds and the caller's id; turns what escapes into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status: int | None = None

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            _log.error("defect", **_where(error))
            # What has begun cannot be taken back: the server then breaks the connection, and the client sees it cut.
            if status is not None:
                raise
            await answer(problem_of(error, scope["state"].get("request_id")))(scope, receive, noted)
        finally:
            _report(scope, status, (time.perf_counter() - started) * 1e3)


def route_template(scope: Scope) -> str:
    """The route as declared, such as ``/jobs/{job_id}``: a path's values may name a subject."""
    path = getattr(scope.get("route"), "path_format", None)
    return path if isinstance(path, str) else _UNMATCHED


def _report(scope: Scope, status: int | None, milliseconds: float) -> None:
    template = route_template(scope)
    caller = scope.get("state", {}).get("caller")
    level = _log.debug if template in _QUIET else _log.info
    level(
        "request",
        method=scope["method"],
        route=template,
        status=status,
        ms=round(milliseconds, 2),
        caller=getattr(caller, "id", None),
    )


def _where(error: Exception) -> dict[str, object]:
    """Class and places of an error. Its text is left out: it can quote what a caller sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": type(error).__name__, "trace": [f"{frame.filename}:{frame.lineno}" for frame in frames[-12:]]}
