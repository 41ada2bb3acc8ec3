"""The service's numbers for Prometheus. One registry for each application; no global state."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.queue import JobQueue
from eigenwarp.stores.database import Database

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """What is counted as it happens, and what is looked up when someone asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "method")
        self.requests = Counter(
            "eigenwarp_http_requests", "Requests answered.", (*labels, "status"), registry=self.registry
        )
        self.durations = Histogram(
            "eigenwarp_http_request_duration_seconds",
            "From the request's first byte to the answer's last.",
            labels,
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge("eigenwarp_http_requests_in_flight", "Requests being answered.", registry=self.registry)
        self.received = Counter(
            "eigenwarp_http_received_bytes", "Bytes of request bodies: uploads.", labels, registry=self.registry
        )
        self._jobs = Gauge("eigenwarp_jobs", "Jobs by state, from the database.", ("state",), registry=self.registry)
        self._depth = Gauge(
            "eigenwarp_queue_depth", "Messages that wait or that a worker holds.", registry=self.registry
        )
        self._oldest = Gauge(
            "eigenwarp_oldest_queued_seconds", "Age of the job that has waited longest.", registry=self.registry
        )
        self._up = Gauge(
            "eigenwarp_source_up", "Whether the source of the numbers answered.", ("source",), registry=self.registry
        )

    def observe_jobs(self, database: Database, queue: JobQueue) -> None:
        """Look up jobs and queue. What a store that is away would tell is NaN until it is back."""
        try:
            for state, count in database.jobs.counts().items():
                self._jobs.labels(state).set(count)
            oldest = database.jobs.oldest_queued()
            self._oldest.set(0.0 if oldest is None else max(0.0, time.time() - oldest.timestamp()))
            self._up.labels("database").set(1)
        except StoreUnavailableError:
            self._jobs.clear()
            self._oldest.set(float("nan"))
            self._up.labels("database").set(0)
        try:
            self._depth.set(queue.depth())
            self._up.labels("queue").set(1)
        except StoreUnavailableError:
            self._depth.set(float("nan"))
            self._up.labels("queue").set(0)
