"""The web application behind a real server on a free port, in a thread, so that its resources can be looked into."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import httpx
import uvicorn

from eigenwarp.settings import Settings
from service.app import create_app
from service.resources import Resources
from tests.servers.ports import free_port
from tests.servers.processes import wait_until

TIMEOUT = httpx.Timeout(30.0)


@dataclass(frozen=True)
class WebServer:
    """A server that answers.

    Args:
        url: of its root.
        resources: what the application holds; tests arrange through it what clients cannot.
    """

    url: str
    resources: Resources

    def client(self, key: str | None = None, headers: dict[str, str] | None = None) -> httpx.Client:
        """A caller with an API key, or without credentials."""
        credentials = {} if key is None else {"X-Api-Key": key}
        return httpx.Client(base_url=self.url, headers={**credentials, **(headers or {})}, timeout=TIMEOUT)


@contextmanager
def running_web(settings: Settings) -> Iterator[WebServer]:
    """A server for the time of a block.

    Raises:
        EigenwarpError: what keeps the application from starting.
    """
    port = free_port()
    app = create_app(settings.model_copy(update={"port": port}))
    failure: list[BaseException] = []
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="on"))

    def serve() -> None:
        try:
            server.run()
        except BaseException as error:
            failure.append(error)

    thread = Thread(target=serve, name="web-under-test", daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), "the web server starts")
        assert server.started, f"the web server did not start: {failure}"
        yield WebServer(f"http://127.0.0.1:{port}", app.state.resources)
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the web server did not stop"
