"""An archive that is looked into: everything new is taken once, and nothing twice after a restart."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from bridge.config.archive import DicomwebWatch, OrthancWatch, Watch
from bridge.metrics import BridgeMetrics
from bridge.objects.identity import ResultIdentity
from bridge.receive.intake import Intake
from bridge.refusals import ArchiveRefusedError, ArchiveUnreachableError
from bridge.state import State, open_state
from bridge.watch import Watcher, open_watch
from tests.bridge.phantom import classic_series, stack
from tests.bridge.site import encoded
from tests.bridge.state.states import config
from tests.servers.orthanc import OrthancServer

SERIES = classic_series(stack("axial", shape=(4, 24, 18)))
for one in SERIES:
    one.StudyDate = datetime.now(UTC).strftime("%Y%m%d")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(config(tmp_path)) as made:
        yield made


def watcher(state: State, watch: Watch) -> tuple[Watcher, BridgeMetrics]:
    metrics = BridgeMetrics()
    return open_watch(watch, state, Intake(state, metrics, 0)), metrics


def orthanc(archive: OrthancServer, **values: object) -> OrthancWatch:
    return OrthancWatch.model_validate({"kind": "orthanc", "url": archive.url, **values})


def fetched(metrics: BridgeMetrics, name: str) -> float:
    """Instances that were taken over the network, whatever became of them."""
    return sum(
        metrics.registry.get_sample_value("eigenwarp_bridge_instances_total", {"source": name, "outcome": outcome}) or 0
        for outcome in ("kept", "duplicate", "own")
    )


def images(state: State) -> list[int]:
    return [series.images for series in state.series.arriving()]


def test_an_orthanc_is_followed_from_where_its_cursor_stood(state: State, archive: OrthancServer) -> None:
    archive.upload(encoded(SERIES[0]))
    watch, metrics = watcher(state, orthanc(archive))
    watch.look()
    assert images(state) == []
    for dataset in SERIES[1:3]:
        archive.upload(encoded(dataset))
    watch.look()
    watch.look()
    assert images(state) == [2]
    archive.upload(encoded(SERIES[3]))
    again, counted = watcher(state, orthanc(archive))
    again.look()
    assert images(state) == [3]
    assert (fetched(metrics, "orthanc"), fetched(counted, "orthanc")) == (2, 1)


def test_what_an_orthanc_holds_already_is_taken_where_the_site_wants_it(state: State, archive: OrthancServer) -> None:
    for dataset in SERIES:
        archive.upload(encoded(dataset))
    watcher(state, orthanc(archive, from_now=False))[0].look()
    assert images(state) == [4]


def test_what_the_bridge_made_is_left_in_the_archive(state: State, archive: OrthancServer) -> None:
    own = deepcopy(SERIES[0])
    own.Manufacturer, own.ManufacturerModelName = ResultIdentity.manufacturer, ResultIdentity.model_name
    archive.upload(encoded(own))
    watcher(state, orthanc(archive, from_now=False))[0].look()
    assert images(state) == []


def test_an_instance_that_has_gone_again_holds_nothing_up(state: State, archive: OrthancServer) -> None:
    watch, _ = watcher(state, orthanc(archive))
    watch.look()
    archive.upload(encoded(SERIES[0]))
    archive.clear()
    archive.upload(encoded(SERIES[1]))
    watch.look()
    assert images(state) == [1]


def test_an_archive_is_asked_for_its_series_of_today(state: State, archive: OrthancServer) -> None:
    old = deepcopy(SERIES)
    for dataset in old:
        dataset.StudyDate = "20010101"
        for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, name, generate_uid(entropy_srcs=["old", str(getattr(dataset, name))]))
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    for dataset in (*SERIES[:2], *old):
        archive.upload(encoded(dataset))
    values = DicomwebWatch(kind="dicomweb", url=archive.dicomweb)
    watch, metrics = watcher(state, values)
    watch.look()
    assert [(series.images, series.expected) for series in state.series.arriving()] == [(2, 2)]
    archive.upload(encoded(SERIES[2]))
    watch.look()
    assert images(state) == [3]
    assert fetched(metrics, "dicomweb") == 3


def test_what_does_not_answer_as_an_orthanc_is_said_so(state: State, archive: OrthancServer) -> None:
    with pytest.raises(ArchiveUnreachableError):
        watcher(state, OrthancWatch(kind="orthanc", url="http://127.0.0.1:9"))[0].look()
    with pytest.raises(ArchiveRefusedError):
        watcher(state, OrthancWatch(kind="orthanc", url=f"{archive.url}/nowhere"))[0].look()
