"""What the service consists of: the commands of its processes and what they are told."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from eigenwarp.settings import PREFIX, Settings
from eigenwarp_cli.up.child import Child
from eigenwarp_cli.up.redis_server import RedisConfiguration, redis_program

_WEB_GRACE_S, _REDIS_GRACE_S = 10.0, 10.0
# Beyond what a running job is given.
_WORKER_GRACE_S = 15.0


class Parts:
    """Makes the children of one service.

    Args:
        settings: of this start: home, port and Redis included.
        logs: the folder for their logs.
        lock: what each of them holds while it lives.
    """

    def __init__(self, settings: Settings, logs: Path, lock: int) -> None:
        self._settings = settings
        self._logs = logs
        self._lock = lock

    def redis(self, configuration: RedisConfiguration) -> Child:
        """The queue."""
        return self._child("redis", [redis_program(), str(configuration.write())], _REDIS_GRACE_S, os.environ)

    def web(self) -> Child:
        """The web server."""
        return self._child("web", [*_EIGENWARP, "serve"], _WEB_GRACE_S, self._environment())

    def workers(self, count: int) -> list[Child]:
        """Processes that compute."""
        grace = self._settings.shutdown_seconds + _WORKER_GRACE_S
        names = [f"worker-{n}" for n in range(1, count + 1)]
        command = [*_EIGENWARP, "worker", "--name"]
        return [self._child(name, [*command, name], grace, self._environment()) for name in names]

    def publishing(self, bundles: list[Path]) -> Child:
        """Publishes bundles, then ends."""
        command = [*_EIGENWARP, "models", "publish", *(str(folder) for folder in bundles)]
        return self._child("publish", command, _WEB_GRACE_S, self._environment())

    def _environment(self) -> dict[str, str]:
        """This process's own, with what this start has chosen above it."""
        chosen = {
            "HOME": str(self._settings.home),
            "HOST": self._settings.host,
            "PORT": str(self._settings.port),
            "REDIS_URL": self._settings.redis_url.get_secret_value(),
        }
        names = {f"{PREFIX}{name}{suffix}" for name in chosen for suffix in ("", "_FILE")}
        kept = {name: value for name, value in os.environ.items() if name not in names}
        return {**kept, **{f"{PREFIX}{name}": value for name, value in chosen.items()}, "PYTHONUNBUFFERED": "1"}

    def _child(self, name: str, command: list[str], grace: float, environment: Mapping[str, str]) -> Child:
        return Child(name, command, environment, self._logs, self._lock, grace)


# The program that this is, found without the PATH.
_EIGENWARP = [sys.executable, "-m", "eigenwarp_cli"]
