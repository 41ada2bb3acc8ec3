"""The service over real HTTP on this machine: what the way there and back costs beside what is computed."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.interleave import interleave
from benchmarks.processes import computed_seconds, service_processes
from benchmarks.report import Cell, Column, Table, median, median_ratio
from benchmarks.service_path import measure_path
from benchmarks.subjects import Pair
from eigenwarp.client import Client
from eigenwarp.model.registration import RegistrationModel
from eigenwarp_cli.up.running import own_environment, running_service
from worker.engine import register_volumes

COLUMNS = (Column(name="service"), Column(name="value", digits=3), Column(name="unit"))


class Cost(NamedTuple):
    """Of one registration.

    Args:
        seconds: from its beginning to its end.
        computed: seconds that all who had a part in it have had on a core.
    """

    seconds: float
    computed: float


def measure_service(
    model: RegistrationModel,
    pair: Pair,
    rounds: int = 5,
    budget_seconds: float = float("inf"),
    progress: Callable[[str], None] = lambda _: None,
) -> Table:
    """Register one pair over HTTP with all results, beside the bare engine call on the same arrays; then the path.

    Args:
        pair: with both segmentations.
    """
    environment = {**own_environment(), "EIGENWARP_REQUESTS_PER_MINUTE": "0"}
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        begun = time.perf_counter()
        with running_service(home, environment=environment) as url, Client(url) as client:
            ready = time.perf_counter() - begun
            ends = _end_to_end(model, pair, client, home, rounds, budget_seconds / 3, progress)
            path = measure_path(home, client, pair.fixed, budget_seconds / 3, progress)
    rows: list[tuple[Cell, ...]] = [*ends, ("`eigenwarp up` to ready, models published", ready, "s"), *path]
    return Table(
        title="Service",
        note=(
            "`eigenwarp up` with one worker: SQLite, a folder, Redis. The pair is registered feed-forward with both "
            "segmentations; over HTTP the request names volumes that were uploaded before, and all six results are "
            "downloaded and checked. Computing time is that of client, web server and worker together: a busy machine "
            "changes it little."
        ),
        columns=COLUMNS,
        rows=tuple(rows),
    )


def _end_to_end(
    model: RegistrationModel,
    pair: Pair,
    client: Client,
    home: Path,
    rounds: int,
    budget_seconds: float,
    progress: Callable[[str], None],
) -> list[tuple[Cell, ...]]:
    images = [client.upload(volume) for volume in (pair.moving, pair.fixed)]
    labels = [client.upload(volume) for volume in (pair.moving_labels, pair.fixed_labels)]
    processes = [os.getpid(), *service_processes(home, "serve"), *service_processes(home, "worker")]

    def measured(work: Callable[[], None]) -> Cost:
        started, computed = time.perf_counter(), computed_seconds(processes)
        work()
        return Cost(time.perf_counter() - started, computed_seconds(processes) - computed)

    def over_http() -> None:
        job = client.register(
            images[0].id,
            images[1].id,
            moving_segmentation=labels[0].id,
            fixed_segmentation=labels[1].id,
        )
        for result in job.results:
            client.result(job, result.name)

    def with_uploads() -> None:
        job = client.register(
            pair.moving,
            pair.fixed,
            moving_segmentation=pair.moving_labels,
            fixed_segmentation=pair.fixed_labels,
        )
        for result in job.results:
            client.result(job, result.name)

    def bare(*, known: bool) -> None:
        if not known:
            model.codes.clear()
        register_volumes(
            model,
            pair.moving,
            pair.fixed,
            moving_segmentation=pair.moving_labels,
            fixed_segmentation=pair.fixed_labels,
        )

    cases: dict[str, Callable[[], Cost]] = {
        "bare engine call, codes known": lambda: measured(lambda: bare(known=True)),
        "bare engine call, both encoded": lambda: measured(lambda: bare(known=False)),
        "over HTTP, codes known": lambda: measured(over_http),
        "over HTTP, codes known, volumes sent again": lambda: measured(with_uploads),
    }
    costs = interleave(cases, max(rounds, 10), budget_seconds, progress=progress)
    found = {name: [cost.seconds for cost in rounds_of] for name, rounds_of in costs.items()}
    known, encoded = found["bare engine call, codes known"], found["bare engine call, both encoded"]
    # The clock of computing time is coarse, so that only its sums are worth a ratio.
    computed = {name: sum(cost.computed for cost in rounds_of) for name, rounds_of in costs.items()}
    http, bare_known = computed["over HTTP, codes known"], computed["bare engine call, codes known"]
    return [
        *((name, median(seconds), "s") for name, seconds in found.items()),
        ("HTTP over bare, codes known to both", median_ratio(found["over HTTP, codes known"], known), "ratio"),
        ("HTTP over bare that encodes", median_ratio(found["over HTTP, codes known"], encoded), "ratio"),
        ("the same in computing time, codes known to both", http / bare_known, "ratio"),
        ("the same in computing time, bare that encodes", http / computed["bare engine call, both encoded"], "ratio"),
        ("computing time of a registration over HTTP", http / len(known), f"s, mean of {len(known)}"),
    ]
