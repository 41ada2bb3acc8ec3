"""A whole service for the time of a block, as another program of this machine uses it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from eigenwarp.errors import ServiceStartError
from eigenwarp.settings import PREFIX

READY = "ready: "
# What a service of our own takes from its surroundings; where a deployment keeps its data is not among it.
_KEPT = frozenset({"MODELS", "DEVICE"})
_GUARD = Path(__file__).with_name("end_with_parent.py")
_READY_S, _STOP_S = 300.0, 90.0


@contextmanager
def running_service(home: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """``eigenwarp up`` on a free port; it is stopped in the end, and also where this process is killed.

    Args:
        home: the data folder.
        arguments: further ones of ``eigenwarp up``.
        environment: in place of ``own_environment()``.

    Yields:
        Its URL, once it takes jobs.

    Raises:
        ServiceStartError: it does not come up; what it says is told.
    """
    home.mkdir(parents=True, exist_ok=True)
    said = home / "up.log"
    command = [sys.executable, "-m", "eigenwarp_cli", "up", "--home", str(home), "--port", "0", *arguments]
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(own_environment() if environment is None else environment),
            # Ctrl-C is ours: it stops the service when we are done with it.
            start_new_session=True,
        )
    try:
        yield _ready_url(process, said)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def own_environment() -> dict[str, str]:
    """This process's environment without the settings of whatever other service it knows."""
    kept = {PREFIX + name for name in _KEPT}
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX) or name in kept}


def _ready_url(process: "subprocess.Popen[bytes]", said: Path) -> str:
    deadline = time.monotonic() + _READY_S
    while True:
        ended = process.poll() is not None
        lines = said.read_text(errors="replace").splitlines()
        for line in lines:
            if line.startswith(READY):
                return line.removeprefix(READY)
        if ended or time.monotonic() > deadline:
            last = next((line for line in reversed(lines) if line.startswith("eigenwarp: error: ")), "")
            told = last.removeprefix("eigenwarp: error: ") or "it does not say why"
            raise ServiceStartError(f"the service does not come up: {told} (logs in {said.parent})")
        time.sleep(0.05)
