"""An Orthanc, spoken to by DICOMweb and by DIMSE: the same questions have the same answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bridge.archive import Archive
from bridge.archive.commitment import request_commitment
from bridge.archive.dicomweb import DicomwebClientArchive
from bridge.archive.dimse import DimseArchive
from bridge.archive.retrievals import Retrievals
from bridge.config.archive import DicomwebArchive, RemoteEntity
from bridge.config.archive import DimseArchive as DimseConfig
from bridge.refusals import ArchiveRefusedError, ArchiveUnreachableError
from tests.bridge.phantom import PATIENT_ID, classic_series, stack
from tests.bridge.receive.listening import listening
from tests.bridge.site import AE_TITLE, encoded
from tests.servers.orthanc import OrthancServer
from tests.servers.ports import free_port
from tests.servers.processes import wait_until

SERIES = classic_series(stack("axial", shape=(3, 24, 18)))
STUDY, UID = str(SERIES[0].StudyInstanceUID), str(SERIES[0].SeriesInstanceUID)


def spoken_to(kind: str, http: str, port: int) -> Archive:
    if kind == "dicomweb":
        return DicomwebClientArchive(DicomwebArchive(kind="dicomweb", url=http, timeout_seconds=5))
    return DimseArchive(
        DimseConfig(kind="dimse", ae_title="ARCHIVE", host="127.0.0.1", port=port, timeout_seconds=5),
        AE_TITLE,
        Retrievals(),
    )


@pytest.fixture(params=["dicomweb", "dimse"])
def reached(request: pytest.FixtureRequest, archive: OrthancServer) -> Iterator[Archive]:
    made = spoken_to(request.param, archive.dicomweb, archive.dicom_port)
    yield made
    made.close()


def test_what_was_stored_is_listed_and_comes_back(reached: Archive) -> None:
    reached.check()
    assert reached.held(STUDY, UID) == frozenset()
    for dataset in SERIES:
        reached.store(dataset)
        reached.store(dataset)
    assert reached.held(STUDY, UID) == {str(one.SOPInstanceUID) for one in SERIES}
    (study,) = reached.studies_of(PATIENT_ID, "")
    assert study.study_uid == STUDY
    assert study.moment.startswith(SERIES[0].StudyDate)
    (series,) = reached.series_of(STUDY)
    assert (series.series_uid, series.modality) == (UID, "MR")
    fetched = {str(one.SOPInstanceUID): one for one in reached.fetch(series)}
    for dataset in SERIES:
        assert fetched[str(dataset.SOPInstanceUID)].PixelData == dataset.PixelData


def test_a_patients_id_with_a_wildcard_finds_nobody_elses_studies(reached: Archive, archive: OrthancServer) -> None:
    archive.upload(encoded(SERIES[0]))
    for identifier in ("*", "PHANTOM-471?", ""):
        with pytest.raises(ArchiveRefusedError, match="wildcard"):
            reached.studies_of(identifier, "")
    assert reached.studies_of("PHANTOM-471", "") == []


@pytest.mark.parametrize("kind", ["dicomweb", "dimse"])
def test_an_archive_that_is_away_is_said_to_be_away(kind: str) -> None:
    port = free_port()
    away = spoken_to(kind, f"http://127.0.0.1:{port}/dicom-web", port)
    for call in (away.check, lambda: away.store(SERIES[0]), lambda: away.held(STUDY, UID)):
        with pytest.raises(ArchiveUnreachableError):
            call()


def test_an_object_that_the_archive_does_not_take_is_refused(archive: OrthancServer) -> None:
    reached = spoken_to("dicomweb", f"{archive.url}/nowhere", archive.dicom_port)
    with pytest.raises(ArchiveRefusedError, match="404"):
        reached.store(SERIES[0])
    stranger = DimseArchive(
        DimseConfig(kind="dimse", ae_title="OTHER", host="127.0.0.1", port=archive.dicom_port), AE_TITLE, Retrievals()
    )
    with pytest.raises(ArchiveUnreachableError, match="OTHER refuses the association"):
        stranger.check()


@contextmanager
def answering(status: int, body: object) -> Iterator[str]:
    """A server that answers every STOW-RS request so; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


FAILED = {"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0xA900]}}]}}
STORED = {"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.3"]}}]}}


@pytest.mark.parametrize(
    ("status", "body", "error", "text"),
    [
        (200, STORED, None, ""),
        (202, FAILED, ArchiveRefusedError, "A900H"),
        (409, FAILED, ArchiveRefusedError, "409"),
        (403, {}, ArchiveRefusedError, "403"),
        (503, {}, ArchiveUnreachableError, "503"),
    ],
)
def test_what_an_archive_says_of_an_object_is_understood(
    status: int, body: object, error: type[Exception] | None, text: str
) -> None:
    with answering(status, body) as url:
        reached = DicomwebClientArchive(DicomwebArchive(kind="dicomweb", url=url))
        if error is None:
            reached.store(SERIES[0])
        else:
            with pytest.raises(error, match=text):
                reached.store(SERIES[0])


def test_the_archive_commits_itself_to_what_it_has_and_not_to_what_it_has_not(
    archive: OrthancServer, bridge_port: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    archive.upload(encoded(SERIES[0]))
    entity = RemoteEntity(ae_title="ARCHIVE", host="127.0.0.1", port=archive.dicom_port)
    folder = tmp_path_factory.mktemp("commitment")
    with listening(folder, port=bridge_port, peers=[{"ae_title": "ARCHIVE"}]) as listener:
        wanted = [(str(one.SOPClassUID), str(one.SOPInstanceUID)) for one in SERIES[:2]]
        request_commitment(entity, AE_TITLE, wanted)
        wait_until(lambda: bool(listener.committed), "the archive has answered", 20)
    assert listener.committed == [([wanted[0][1]], [wanted[1][1]])]
