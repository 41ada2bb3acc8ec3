"""Counts every request by its route's template: a path's values would make a series of each."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics import Metrics
from service.middleware.request_log import route_template

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetricsMiddleware:
    """Outside of what turns errors into answers, so that each has a status."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, received = time.perf_counter(), "none", 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        metrics = self._metrics
        try:
            with metrics.in_flight.track_inprogress():
                await self._app(scope, counted, noted)
        finally:
            # The method is the client's to choose, and there are no limits to what it may invent.
            labels = (route_template(scope), scope["method"] if scope["method"] in _METHODS else "other")
            metrics.requests.labels(*labels, status).inc()
            metrics.durations.labels(*labels).observe(time.perf_counter() - started)
            if received:
                metrics.received.labels(*labels).inc(received)
