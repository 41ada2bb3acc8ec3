"""Earlier studies by C-MOVE: Orthanc brings them to the bridge's own listener, and they are no new series there."""

from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from bridge.archive.archive import StoredSeries
from bridge.archive.dimse import DimseArchive
from bridge.archive.retrievals import Retrievals
from bridge.config.archive import DimseArchive as DimseConfig
from bridge.refusals import ArchiveRefusedError
from tests.bridge.phantom import classic_series, stack
from tests.bridge.receive.listening import listening
from tests.bridge.site import AE_TITLE, SCANNER, associate, encoded, statuses
from tests.servers.orthanc import OrthancServer

SERIES = classic_series(stack("axial", shape=(4, 24, 18)), seed="moved")
OTHER = classic_series(stack("axial", shape=(3, 24, 18)), seed="not moved")
STORED = StoredSeries(str(SERIES[0].StudyInstanceUID), str(SERIES[0].SeriesInstanceUID), "MR", "")
PEERS = [{"ae_title": "ARCHIVE"}, {"ae_title": SCANNER}]


def mover(archive: OrthancServer, retrievals: Retrievals, own_title: str = AE_TITLE) -> DimseArchive:
    config = DimseConfig(
        kind="dimse",
        ae_title="ARCHIVE",
        host="127.0.0.1",
        port=archive.dicom_port,
        timeout_seconds=5,
        retrieve="move",
    )
    return DimseArchive(config, own_title, retrievals)


def test_a_series_is_brought_and_is_no_new_one_for_the_bridge(
    archive: OrthancServer, bridge_port: int, tmp_path: Path
) -> None:
    for dataset in SERIES:
        archive.upload(encoded(dataset))
    with listening(tmp_path, port=bridge_port, peers=PEERS) as listener:
        reached = mover(archive, listener.retrievals)
        # Again, as a job does that is tried anew.
        for _ in range(2):
            fetched = {str(one.SOPInstanceUID): one for one in reached.fetch(STORED)}
            assert fetched.keys() == {str(one.SOPInstanceUID) for one in SERIES}
            for dataset in SERIES:
                assert fetched[str(dataset.SOPInstanceUID)].PixelData == dataset.PixelData
        assert listener.state.series.arriving() == []
        assert listener.count("kept") == 0
        # Sent by itself, it is one.
        assert statuses(SERIES, listener.port) == [0] * len(SERIES)
        assert listener.count("kept") == len(SERIES)


def test_what_others_send_meanwhile_goes_in(tmp_path: Path) -> None:
    with (
        listening(tmp_path, peers=PEERS) as listener,
        listener.retrievals.awaiting(STORED.series_uid, SCANNER) as arrived,
    ):
        # An archive that does not say by whose question it sends.
        assert statuses([*SERIES, *OTHER], listener.port) == [0] * (len(SERIES) + len(OTHER))
        assert arrived.keys() == {str(one.SOPInstanceUID) for one in SERIES}
        (series,) = listener.state.series.arriving()
        assert series.identity.series_uid == OTHER[0].SeriesInstanceUID


def test_an_answer_that_nobody_awaits_any_more_is_refused(tmp_path: Path) -> None:
    with listening(tmp_path, peers=PEERS) as listener:
        association = associate(SERIES, listener.port)
        status = association.send_c_store(SERIES[0], originator_aet=AE_TITLE, originator_id=1).Status
        association.release()
        assert status == 0x0124
        assert listener.refused("not-awaited") == 1
        # By another's question it is a series like any other.
        association = associate(SERIES, listener.port)
        assert association.send_c_store(SERIES[0], originator_aet="WORKSTATION", originator_id=1).Status == 0
        association.release()
        assert listener.count("kept") == 1


def test_a_listener_that_is_away_and_a_series_that_is_not_there_are_told(archive: OrthancServer) -> None:
    archive.upload(encoded(SERIES[0]))
    reached = mover(archive, Retrievals())
    with pytest.raises(ArchiveRefusedError, match="C-MOVE"):
        reached.fetch(STORED)
    gone = StoredSeries(STORED.study_uid, generate_uid(), "MR", "")
    with pytest.raises(ArchiveRefusedError, match="C-MOVE"):
        reached.fetch(gone)
