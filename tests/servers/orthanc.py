"""A real Orthanc with its DICOMweb plugin, to be killed and started again."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.servers.certificates import Certified
from tests.servers.ports import free_ports
from tests.servers.processes import Running

AE_TITLE = "ARCHIVE"
_DICOMWEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_LOOPBACK_ONLY = Path(__file__).with_name("loopback_only.c")


@dataclass(frozen=True)
class DicomTls:
    """DICOM over TLS. HTTP stays as it is: Debian's Orthanc dies of HTTPS (civetweb 1.15 with OpenSSL 3).

    Args:
        own: the server's certificate.
        authority: that signs the clients' certificates.
        clients: whether they must show one; one that is shown is looked at in any case.
    """

    own: Certified
    authority: Path
    clients: bool

    def settings(self) -> dict[str, object]:
        """Of Orthanc."""
        return {
            "DicomTlsEnabled": True,
            "DicomTlsCertificate": str(self.own.certificate),
            "DicomTlsPrivateKey": str(self.own.key),
            "DicomTlsTrustedCertificates": str(self.authority),
            "DicomTlsRemoteCertificateRequired": self.clients,
        }


class OrthancServer:
    """An archive on free ports of the loopback.

    Args:
        folder: for its configuration, its log and what it stores.
        peers: AE titles with their ports on this machine: who may ask, and who is sent to.
        tls: absent: DICOM in the clear.
    """

    def __init__(self, folder: Path, peers: Mapping[str, int] | None = None, tls: DicomTls | None = None) -> None:
        self._folder = folder
        self.http_port, self.dicom_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.dicomweb = f"{self.url}/dicom-web"
        self.ae_title = AE_TITLE
        self.peers = dict(peers or {})
        self._tls = tls
        self._process: Running | None = None
        self.http = httpx.Client(base_url=self.url, timeout=20.0)

    def start(self) -> None:
        """Returns when it answers."""
        configuration = {
            "Name": "tests",
            "StorageDirectory": str(self._folder / "storage"),
            "IndexDirectory": str(self._folder / "storage"),
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "DicomAet": self.ae_title,
            "DicomCheckCalledAet": True,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "StableAge": 1,
            "TcpNoDelay": True,
            "Plugins": [str(_DICOMWEB)],
            "DicomModalities": {title: [title, "127.0.0.1", port] for title, port in self.peers.items()},
            **({} if self._tls is None else self._tls.settings()),
        }
        path = self._folder / "orthanc.json"
        path.write_text(json.dumps(configuration))
        environment = {"LD_PRELOAD": str(_preloaded(self._folder))}
        self._process = Running([_program(), path], self._folder / "orthanc.log", environment, self._folder)
        self._process.wait_until(self.answers, "Orthanc answers")

    def kill(self) -> None:
        """As a crash does; what it stored is there when it starts again."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Killed and started on the same ports."""
        self.kill()
        self.start()

    def find(self, level: str, **query: str) -> list[str]:
        """Orthanc's ids of what matches, such as ``find("Series", Modality="SEG")``."""
        answer = self.http.post("/tools/find", json={"Level": level, "Query": query})
        answer.raise_for_status()
        found: list[str] = answer.json()
        return found

    def file(self, instance: str) -> bytes:
        """An instance, as it is stored."""
        return self.http.get(f"/instances/{instance}/file").content

    def upload(self, content: bytes) -> None:
        """An instance, over HTTP."""
        self.http.post("/instances", content=content).raise_for_status()

    def clear(self) -> None:
        """Forget all patients."""
        for patient in self.http.get("/patients").json():
            self.http.delete(f"/patients/{patient}").raise_for_status()

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            return self.http.get("/system").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


@contextmanager
def running_orthanc(
    folder: Path, peers: Mapping[str, int] | None = None, tls: DicomTls | None = None
) -> Iterator[OrthancServer]:
    """A server for the time of a block; skips where it is not installed."""
    if not Path(_program()).exists() or not _DICOMWEB.exists() or shutil.which("gcc") is None:
        pytest.skip("the Debian packages orthanc and orthanc-dicomweb, or a C compiler, are missing")
    server = OrthancServer(folder, peers, tls)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        server.http.close()


def _program() -> str:
    return shutil.which("Orthanc") or "/usr/sbin/Orthanc"


def _preloaded(folder: Path) -> Path:
    """Debian's Orthanc binds both ports on all addresses, whatever its configuration says."""
    library = folder / "loopback_only.so"
    if not library.exists():
        command = ["gcc", "-shared", "-fPIC", "-O1", "-o", library, _LOOPBACK_ONLY, "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
    return library
