"""The bridge as a whole: everything that the configuration names, started in order and stopped in reverse."""

import logging
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack

from bridge.archive import open_archive
from bridge.archive.retrievals import Retrievals
from bridge.config import BridgeConfig
from bridge.config.document import Service
from bridge.config.reading import read_secret
from bridge.health import HealthServer
from bridge.keeper import remove_old
from bridge.metrics import BridgeMetrics
from bridge.pipeline import PipelineContext, Runner
from bridge.receive.intake import Intake
from bridge.receive.listener import ListenerServer
from bridge.state import State, open_state
from bridge.watch import Watcher, open_watch
from eigenwarp.client import Client
from eigenwarp.errors import EigenwarpError
from eigenwarp.log import configure_logging, get_logger
from eigenwarp.settings import Settings

_KEEPER_SECONDS = 600.0
_WATCH_WITHOUT_LISTENER_FREE_BYTES = 1 << 30
_log = get_logger(__name__)


def run_bridge(config: BridgeConfig, stop: threading.Event, ready: Callable[[int | None, int | None], None]) -> None:
    """Run until ``stop``.

    Args:
        ready: called once all is up, with the listener's and the health port.

    Raises:
        EigenwarpError: something cannot be opened.
    """
    configure_bridge_logging(config)
    with ExitStack() as stack:
        state = stack.enter_context(open_state(config, alone=True))
        client = stack.enter_context(open_client(config.service))
        retrievals = Retrievals()
        archive = open_archive(config, retrievals)
        stack.callback(archive.close)
        metrics = BridgeMetrics()
        context = PipelineContext(config, state, client, archive, metrics)
        free = _WATCH_WITHOUT_LISTENER_FREE_BYTES if config.listener is None else config.listener.free_bytes
        intake = Intake(state, metrics, free)
        runner = Runner(context)
        runner.start()
        stack.callback(runner.stop)
        threads = [
            _loop(stack, stop, f"watch-{watcher.name}", watcher.seconds, _looking(watcher, metrics))
            for watcher in (open_watch(watch, state, intake) for watch in config.watch)
        ]
        threads.append(_loop(stack, stop, "keeper", _KEEPER_SECONDS, lambda: remove_old(state, config.keep_hours)))
        port = None
        if config.listener is not None:
            listener = ListenerServer(config.listener, intake, metrics, _committed(state), retrievals)
            port = listener.start()
            stack.callback(listener.stop)
        health_port = None
        if config.health is not None:
            alive = {thread.name: thread.is_alive for thread in threads} | {"runner": lambda: runner.is_alive}
            health = HealthServer(config.health, state, metrics, alive, {"state": state.database.check})
            health.start()
            stack.callback(health.stop)
            health_port = health.port
        _log.info("bridge is up", port=port, health_port=health_port, encrypts=state.vault.encrypts)
        ready(port, health_port)
        stop.wait()
        _log.info("bridge stops")


def open_client(service: Service) -> Client:
    """The service.

    Raises:
        OptionInvalidError: the key's file cannot be read.
    """
    key = None if service.key_file is None else read_secret(service.key_file, "service.key_file")
    return Client(service.url, key, timeout=service.timeout_seconds, patience=service.patience_seconds)


def configure_bridge_logging(config: BridgeConfig) -> None:
    """As the service logs; the DICOM libraries, whose texts hold values of datasets, not at all."""
    configure_logging(Settings(log_level=config.log_level, log_format=config.log_format))
    for name in ("pydicom", "pynetdicom", "highdicom", "dicomweb_client", "urllib3"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    # Their warnings hold them as well.
    warnings.simplefilter("ignore")


def _committed(state: State) -> Callable[[list[str], list[str]], None]:
    def committed(held: list[str], failed: list[str]) -> None:
        known = [uid for uid in held if state.results.committed(state.pseudonyms.of("instance", uid))]
        _log.info("storage commitment", committed=len(known), failed=len(failed))

    return committed


def _looking(watcher: Watcher, metrics: BridgeMetrics) -> Callable[[], None]:
    def look() -> None:
        try:
            watcher.look()
        except EigenwarpError:
            metrics.watch_failures.labels(watcher.name).inc()
            raise

    return look


def _loop(
    stack: ExitStack, stop: threading.Event, name: str, seconds: float, action: Callable[[], object]
) -> threading.Thread:
    """A thread that does something again and again. It ends with ``stop``, and is waited for."""

    def run() -> None:
        while not stop.is_set():
            began = time.monotonic()
            try:
                action()
            except EigenwarpError as error:
                _log.warning("put off", thread=name, reason=error.code)
            except Exception as error:
                # A thread that ended would be missed by nobody but /healthz; the next look may go well.
                _log.error("a defect", thread=name, error=type(error).__name__)
            stop.wait(max(seconds - (time.monotonic() - began), 0.05))

    thread = threading.Thread(target=run, name=name)
    thread.start()

    def join() -> None:
        stop.set()
        thread.join()

    stack.callback(join)
    return thread
