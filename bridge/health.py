"""Whether the bridge lives, whether it can work, and its numbers, over a small HTTP port."""

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bridge.config.document import Health
from bridge.metrics import BridgeMetrics
from bridge.state import State
from eigenwarp.errors import EigenwarpError, OptionInvalidError


class HealthServer:
    """``/healthz``, ``/readyz``, ``/metrics``.

    Args:
        alive: of the bridge's own threads, by name: whether each still runs.
        ready: what the bridge cannot work without, by name; each raises ``EigenwarpError`` where it does not answer.
    """

    def __init__(
        self,
        health: Health,
        state: State,
        metrics: BridgeMetrics,
        alive: Mapping[str, Callable[[], bool]],
        ready: Mapping[str, Callable[[], object]],
    ) -> None:
        class Handler(_Handler):
            answers: ClassVar[Mapping[str, Callable[[], tuple[int, str, bytes]]]] = {
                "/healthz": self._is_alive,
                "/readyz": self._is_ready,
                "/metrics": self._numbers,
            }

        self._state, self._metrics, self._alive, self._ready = state, metrics, alive, ready
        try:
            self._server = ThreadingHTTPServer((health.host, health.port), Handler)
        except OSError as error:
            where = f"{health.host}:{health.port}"
            raise OptionInvalidError(f"health: {where} cannot be listened on: {error.strerror}") from None
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="health")

    @property
    def port(self) -> int:
        """That it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Answer."""
        self._thread.start()

    def stop(self) -> None:
        """No more answers."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _is_alive(self) -> tuple[int, str, bytes]:
        dead = [name for name, lives in self._alive.items() if not lives()]
        return _document(503, {"status": "dead", "dead": dead}) if dead else _document(200, {"status": "ok"})

    def _is_ready(self) -> tuple[int, str, bytes]:
        down = []
        for name, check in self._ready.items():
            try:
                check()
            except EigenwarpError:
                down.append(name)
        return _document(503, {"status": "not ready", "down": down}) if down else _document(200, {"status": "ready"})

    def _numbers(self) -> tuple[int, str, bytes]:
        try:
            self._metrics.observe(self._state)
        except EigenwarpError as error:
            return _document(503, {"status": error.code})
        return 200, CONTENT_TYPE_LATEST, generate_latest(self._metrics.registry)


class _Handler(BaseHTTPRequestHandler):
    answers: ClassVar[Mapping[str, Callable[[], tuple[int, str, bytes]]]]
    # A caller that sends nothing holds a thread no longer than this.
    timeout = 5.0

    def do_GET(self) -> None:
        answer = self.answers.get(self.path)
        status, kind, content = _document(404, {"status": "unknown"}) if answer is None else answer()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: who watches asks every few seconds."""


def _document(status: int, content: object) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(content).encode()
