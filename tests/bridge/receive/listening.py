"""A listener in this process, with a state of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bridge.archive.retrievals import Retrievals
from bridge.config.listener import Listener
from bridge.metrics import BridgeMetrics
from bridge.receive.intake import Intake
from bridge.receive.listener import ListenerServer
from bridge.state import State, open_state
from tests.bridge.site import SCANNER
from tests.bridge.state.states import config


@dataclass
class Listening:
    """A listener that runs.

    Args:
        committed: what storage commitment's answers told.
        retrievals: what a C-MOVE of ours brings.
    """

    state: State
    metrics: BridgeMetrics
    port: int
    committed: list[tuple[list[str], list[str]]] = field(default_factory=list)
    retrievals: Retrievals = field(default_factory=Retrievals)

    def count(self, outcome: str) -> float:
        """Instances of an outcome."""
        return (
            self.metrics.registry.get_sample_value(
                "eigenwarp_bridge_instances_total", {"source": "peer", "outcome": outcome}
            )
            or 0.0
        )

    def refused(self, reason: str) -> float:
        """Refusals for a reason."""
        return self.metrics.registry.get_sample_value("eigenwarp_bridge_refusals_total", {"reason": reason}) or 0.0


@contextmanager
def listening(folder: Path, **values: object) -> Iterator[Listening]:
    """A listener for the time of a block, that knows the scanner alone."""
    listener = Listener.model_validate({"port": 0, "free_bytes": 0, "peers": [{"ae_title": SCANNER}], **values})
    with open_state(config(folder)) as state:
        metrics = BridgeMetrics()
        committed: list[tuple[list[str], list[str]]] = []
        retrievals = Retrievals()
        server = ListenerServer(
            listener,
            Intake(state, metrics, listener.free_bytes),
            metrics,
            lambda held, failed: committed.append((held, failed)),
            retrievals,
        )
        port = server.start()
        try:
            yield Listening(state, metrics, port, committed, retrievals)
        finally:
            server.stop()
