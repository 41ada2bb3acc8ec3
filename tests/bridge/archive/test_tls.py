"""An Orthanc that speaks TLS on both ports: reached with the right files, and told apart from every wrong one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.archive import Archive
from bridge.archive.association import tls_of
from bridge.archive.dicomweb import DicomwebClientArchive
from bridge.archive.dimse import DimseArchive
from bridge.archive.http_session import open_session
from bridge.archive.retrievals import Retrievals
from bridge.config.archive import DicomwebArchive
from bridge.config.archive import DimseArchive as DimseConfig
from bridge.refusals import ArchiveUnreachableError
from eigenwarp.errors import OptionInvalidError
from tests.bridge.phantom import PATIENT_ID, classic_series, stack
from tests.bridge.site import AE_TITLE, Site
from tests.integration.deployment import Deployment
from tests.servers.certificates import Authority, Certified
from tests.servers.orthanc import DicomTls, OrthancServer, running_orthanc
from tests.servers.tls_front import tls_front

SERIES = classic_series(stack("axial", shape=(3, 24, 18)), seed="tls")
STUDY, UID = str(SERIES[0].StudyInstanceUID), str(SERIES[0].SeriesInstanceUID)
KINDS = pytest.mark.parametrize("kind", ["dicomweb", "dimse"])


@dataclass(frozen=True)
class Hospital:
    """Its archives over TLS, and the certificates.

    Args:
        open: takes any client.
        closed: wants a certificate of the clients.
    """

    authority: Authority
    stranger: Authority
    bridge: Certified
    open: "Secured"
    closed: "Secured"


@dataclass(frozen=True)
class Secured:
    """An archive over TLS."""

    orthanc: OrthancServer
    dicomweb: str
    dicom_port: int


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    folder = tmp_path_factory.mktemp("tls")
    authority, stranger = Authority(folder, "hospital"), Authority(folder, "stranger")
    own = authority.issue("orthanc")
    folders = [folder / "open", folder / "closed"]
    for one in folders:
        one.mkdir()
    peers = {AE_TITLE: 11112}
    with (
        running_orthanc(folders[0], peers, DicomTls(own, authority.path, clients=False)) as first,
        running_orthanc(folders[1], peers, DicomTls(own, authority.path, clients=True)) as second,
        tls_front(first.http_port, own) as first_port,
        tls_front(second.http_port, own, authority.path) as second_port,
    ):
        open_, closed = (
            Secured(server, f"https://127.0.0.1:{port}/dicom-web", server.dicom_port)
            for server, port in ((first, first_port), (second, second_port))
        )
        yield Hospital(authority, stranger, authority.issue("bridge"), open_, closed)


def reached(
    kind: str,
    server: Secured,
    authority: Path,
    own: Certified | None = None,
    host: str = "127.0.0.1",
) -> Archive:
    files = {"authority": authority} if own is None else {"authority": authority, "certificate": own.both}
    if kind == "dicomweb":
        url = server.dicomweb.replace("127.0.0.1", host)
        return DicomwebClientArchive(DicomwebArchive(kind="dicomweb", url=url, timeout_seconds=5, **files))
    port = server.dicom_port
    return DimseArchive(
        DimseConfig(kind="dimse", ae_title="ARCHIVE", host=host, port=port, timeout_seconds=5, **files),
        AE_TITLE,
        Retrievals(),
    )


@KINDS
@pytest.mark.parametrize("clients", [False, True], ids=["any client", "known clients"])
def test_what_was_stored_over_tls_is_listed_and_comes_back(hospital: Hospital, kind: str, clients: bool) -> None:
    server = hospital.closed if clients else hospital.open
    server.orthanc.clear()
    archive = reached(kind, server, hospital.authority.path, hospital.bridge if clients else None)
    archive.check()
    for dataset in SERIES:
        archive.store(dataset)
    assert archive.held(STUDY, UID) == {str(one.SOPInstanceUID) for one in SERIES}
    assert [one.study_uid for one in archive.studies_of(PATIENT_ID, "")] == [STUDY]
    (series,) = archive.series_of(STUDY)
    fetched = {str(one.SOPInstanceUID): one for one in archive.fetch(series)}
    for dataset in SERIES:
        assert fetched[str(dataset.SOPInstanceUID)].PixelData == dataset.PixelData
    archive.close()


@KINDS
def test_an_archive_whose_certificate_another_authority_signed_is_not_spoken_to(hospital: Hospital, kind: str) -> None:
    archive = reached(kind, hospital.open, hospital.stranger.path)
    with pytest.raises(ArchiveUnreachableError, match=r"does not fit .*/stranger\.pem: .*certificate"):
        archive.store(SERIES[0])


@KINDS
def test_an_archive_whose_certificate_is_for_another_host_is_not_spoken_to(hospital: Hospital, kind: str) -> None:
    archive = reached(kind, hospital.open, hospital.authority.path, host="localhost")
    with pytest.raises(ArchiveUnreachableError, match=r"(?i)hospital\.pem: hostname mismatch.*'localhost'"):
        archive.check()


@KINDS
def test_a_client_that_the_archive_does_not_know_is_told_what_it_showed(hospital: Hospital, kind: str) -> None:
    with pytest.raises(ArchiveUnreachableError, match="the bridge shows no certificate"):
        reached(kind, hospital.closed, hospital.authority.path).check()
    other = hospital.stranger.issue("other")
    with pytest.raises(ArchiveUnreachableError, match=r"the bridge shows .*/other\.both\.pem"):
        reached(kind, hospital.closed, hospital.authority.path, other).check()


@KINDS
def test_an_archive_that_speaks_no_tls_gets_nothing(hospital: Hospital, archive: OrthancServer, kind: str) -> None:
    plain = Secured(archive, archive.dicomweb.replace("http://", "https://"), archive.dicom_port)
    with pytest.raises(ArchiveUnreachableError, match="TLS"):
        reached(kind, plain, hospital.authority.path).store(SERIES[0])
    assert archive.find("Instance") == []


def test_the_command_that_checks_a_site_tells_which_file_does_not_fit(
    hospital: Hospital, new_site: Callable[..., Site], service: Deployment
) -> None:
    site = new_site(service.url)
    plain, own = site.config.read_text(), hospital.bridge

    def configured(authority: Path) -> None:
        archive = f"""
kind = "dimse"
ae_title = "ARCHIVE"
host = "127.0.0.1"
port = {hospital.closed.dicom_port}
authority = "{authority}"
certificate = "{own.certificate}"
key = "{own.key}"
"""
        where = 'kind = "dicomweb"\nurl = "http://127.0.0.1:9"'
        assert where in plain
        site.config.write_text(plain.replace(where, archive))

    configured(hospital.authority.path)
    assert "the archive answers" in site.run("check", "--connect")
    configured(hospital.stranger.path)
    assert "does not fit" in (told := site.run("check", "--connect", code=2).replace("\n", ""))
    assert "stranger.pem" in told


@KINDS
@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"authority": "nowhere.pem"}, r"authority: .*/nowhere\.pem: No such file"),
        ({"authority": "junk.pem"}, r"authority: .*/junk\.pem holds no certificate"),
        ({"certificate": "nowhere.pem"}, r"certificate: .*/nowhere\.pem: No such file"),
        ({"certificate": "good.key"}, r"certificate: .*/good\.key holds no certificate"),
        ({"certificate": "good.pem"}, r"key: .*/good\.pem holds no private key"),
        ({"certificate": "good.pem", "key": "other.key"}, r"other\.key is not the key of the certificate .*good\.pem"),
        ({"certificate": "late.both.pem"}, r"certificate: .*/late\.both\.pem ran out on 20"),
    ],
)
def test_files_that_do_not_fit_are_named_before_anything_is_sent(
    tmp_path: Path, kind: str, files: dict[str, str], named: str
) -> None:
    authority = Authority(tmp_path, "authority")
    authority.issue("good")
    authority.issue("other")
    authority.issue("late", days=-3)
    (tmp_path / "junk.pem").write_text("junk")
    paths = {"authority": authority.path, **{name: tmp_path / file for name, file in files.items()}}
    with pytest.raises(OptionInvalidError, match=named):
        _opened(kind, paths)


def _opened(kind: str, paths: dict[str, Path]) -> object:
    if kind == "dicomweb":
        return open_session(DicomwebArchive(kind="dicomweb", url="https://127.0.0.1:9", **paths), "archive")
    return tls_of(DimseConfig(kind="dimse", ae_title="ARCHIVE", host="127.0.0.1", port=9, **paths))
