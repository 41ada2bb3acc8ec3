"""The audit trail: a row for each access to a volume, a result or a subject, written before the answer leaves.

A route says what it is with ``@audited("volume.read")`` under its ``@router.get(…)``, in a router made with
``APIRouter(route_class=AuditedRoute)``. What it accesses is the value of its path, or what it notes itself.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from eigenwarp.errors import EigenwarpError
from eigenwarp.log import get_logger
from eigenwarp.stores.database import Database
from eigenwarp.stores.database.records import AuditEntry, Caller

DONE = "done"
ERASED = "erased"
_MARK = "audited_as"
_REFUSED = "refused"
# What is not held, or no longer, is not written down: the id of an erased subject must not come back.
_NOT_HELD = frozenset({"subject-unknown", "volume-unknown", "job-unknown", "result-unknown", "upload-unknown"})
_SANE_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,160}")
_SANE_PART = re.compile(r"[a-z_]{1,64}")

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_log = get_logger(__name__)


@dataclass(frozen=True)
class _Mark:
    action: str
    part: str | None
    noted_only: bool


def audited(action: str, *, part: str | None = None, noted_only: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint.

    Args:
        action: what it does, such as ``subject.erase``; one that ends in ``.erase`` leaves no target behind.
        part: the path's parameter that says which part of the target, and is kept with the action:
            ``result.read:field``.
        noted_only: rows for what the endpoint notes alone: it may well hand out nothing that counts.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, _Mark(action, part, noted_only))
        return endpoint

    return mark


def note_access(request: Request, *targets: str) -> None:
    """What this request accesses beside, or in place of, the values of its path: ids that its body named."""
    _noted(request).extend(targets)


class AuditedRoute(APIRoute):
    """Writes the trail of endpoints that are marked.

    A caller who was not recognised has accessed nothing and leaves no row; one who was refused does.

    Raises (from a route that is marked):
        StoreUnavailableError: the row cannot be written; then the answer is withheld too.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()
        mark: _Mark | None = getattr(self.endpoint, _MARK, None)
        if mark is None:
            return handle

        async def handle_and_record(request: Request) -> Response:
            try:
                response = await handle(request)
            except Exception as error:
                outcome = error.code if isinstance(error, EigenwarpError) else _REFUSED
                try:
                    await _record(request, mark, outcome)
                except EigenwarpError as second:
                    _log.error("audit row lost", action=mark.action, outcome=outcome, code=second.code)
                raise
            await _record(request, mark, DONE)
            return response

        return handle_and_record


async def _record(request: Request, mark: _Mark, outcome: str) -> None:
    caller = getattr(request.state, "caller", None)
    if not isinstance(caller, Caller):
        return
    database: Database = request.app.state.resources.database
    now, request_id = datetime.now(UTC), getattr(request.state, "request_id", None)
    part = str(request.path_params.get(mark.part or "", ""))
    action = f"{mark.action}:{part}" if _SANE_PART.fullmatch(part) else mark.action
    entries = [
        AuditEntry(at=now, caller=caller.id, action=action, target=target, outcome=outcome, request_id=request_id)
        for target in _targets(request, mark, outcome)
    ]
    await run_in_threadpool(_add, database, entries)


def _add(database: Database, entries: list[AuditEntry]) -> None:
    for entry in entries:
        database.audit.add(entry)


def _targets(request: Request, mark: _Mark, outcome: str) -> list[str]:
    found = list(dict.fromkeys(_noted(request)))
    if mark.noted_only and not found:
        return []
    if outcome in _NOT_HELD:
        return ["unknown"]
    if outcome == DONE and mark.action.endswith(".erase"):
        return [ERASED]
    found = found or [str(value) for name, value in request.path_params.items() if name != mark.part]
    # A path that never reached its route may hold anything.
    return [target if _SANE_TARGET.fullmatch(target) else "invalid" for target in found]


def _noted(request: Request) -> list[str]:
    noted = getattr(request.state, "accessed", None)
    if not isinstance(noted, list):
        noted = request.state.accessed = []
    return noted
