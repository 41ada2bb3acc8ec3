"""No body is read further than its bound: a small one, unless the route raises it before it reads."""

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.refusals import RequestTooLargeError

JSON_BYTES = 1 << 20
# A client that is refused while it still sends reads the answer only if its bytes are taken.
_DRAIN_BYTES = 64 << 20
_DRAIN_SECONDS = 5.0
_STATE = "body_bound"


@dataclass
class _Bound:
    limit: int
    declared: int | None
    received: int = 0
    ended: bool = False


def raise_body_bound(request: Request, limit: int) -> None:
    """Let this request's body be as long as ``limit`` bytes, before any of it is read."""
    request.scope["state"][_STATE].limit = limit


class BodyBoundMiddleware:
    """Counts what a request brings.

    Raises (from ``receive``):
        RequestTooLargeError: more than the bound.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        bound = _Bound(JSON_BYTES, int(length) if length.isdecimal() else None)
        # Neither header means no body at all; a client that waits for "100 Continue" has not begun to send.
        bound.ended = not (bound.declared or "transfer-encoding" in headers) or "expect" in headers
        scope.setdefault("state", {})[_STATE] = bound

        async def bounded() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                bound.received += len(message.get("body", b""))
                bound.ended = not message.get("more_body", False)
            else:
                bound.ended = True
            if bound.received > bound.limit or (bound.declared or 0) > bound.limit:
                raise RequestTooLargeError(bound.limit)
            return message

        async def after_draining(message: Message) -> None:
            if message["type"] == "http.response.start" and not bound.ended:
                await _drain(receive, bound)
            await send(message)

        await self._app(scope, bounded, after_draining)


async def _drain(receive: Receive, bound: _Bound) -> None:
    taken = 0
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while not bound.ended and taken < _DRAIN_BYTES:
                message = await receive()
                taken += len(message.get("body", b""))
                bound.ended = message["type"] != "http.request" or not message.get("more_body", False)
    except TimeoutError:
        pass
