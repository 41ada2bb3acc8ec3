"""The bridge's numbers for Prometheus. One registry for each bridge; no global state, and nothing of a patient."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bridge.state import State

_SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class BridgeMetrics:
    """What is counted as it happens, and what is looked up when someone asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = Counter(
            "eigenwarp_bridge_instances",
            "Instances that came, and what became of them.",
            ("source", "outcome"),
            registry=self.registry,
        )
        self.refused = Counter(
            "eigenwarp_bridge_refusals", "Associations and instances refused.", ("reason",), registry=self.registry
        )
        self.steps = Histogram(
            "eigenwarp_bridge_step_seconds",
            "Of each step of a job.",
            ("state",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.failures = Counter(
            "eigenwarp_bridge_failures",
            "Steps that failed, by their reason.",
            ("state", "reason"),
            registry=self.registry,
        )
        self.watch_failures = Counter(
            "eigenwarp_bridge_watch_failures", "Looks into an archive that failed.", ("watch",), registry=self.registry
        )
        self._jobs = Gauge("eigenwarp_bridge_jobs", "Jobs by state.", ("state",), registry=self.registry)
        self._results = Gauge("eigenwarp_bridge_objects", "Objects by state.", ("state",), registry=self.registry)

    def observe(self, state: State) -> None:
        """Look up jobs and objects."""
        for job_state, count in state.jobs.counts().items():
            self._jobs.labels(job_state).set(count)
        for result_state, count in state.results.counts().items():
            self._results.labels(result_state).set(count)
