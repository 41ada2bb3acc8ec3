"""A hospital and its bridge: the process ``eigenwarp bridge``, beside a real archive and the real service."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileDataset
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless
from pynetdicom import AE, evt
from pynetdicom.association import Association

from bridge.archive.association import without_delay
from tests.integration.deployment import PROGRAM
from tests.servers.orthanc import OrthancServer
from tests.servers.ports import free_ports
from tests.servers.processes import Running, wait_until

AE_TITLE = "EIGENWARP"
SCANNER = "SCANNER"
SITE_KEY = "a key of the tests, of more than 32 characters"
OVER = ("confirmed", "failed", "skipped", "superseded")

RULE = """
[[rules]]
name = "tiny"
model = "tiny"
refine = "none"
outputs = ["segmentation", "measurements", "jacobian", "registration", "report"]
[rules.match]
modality = ["MR"]
"""


class Site:
    """A bridge with its configuration, state and process.

    Args:
        folder: its own.
        service: URL.
        archive: an Orthanc; None for a closed port.
        rules: the configuration's rules, TOML.
        top, tail: the configuration's other keys, before and behind.
        http: whether results go by STOW-RS; C-STORE otherwise, and earlier studies come by C-MOVE.
    """

    def __init__(
        self,
        folder: Path,
        service: str,
        archive: OrthancServer | None = None,
        *,
        rules: str = RULE,
        top: str = "",
        tail: str = "",
        http: bool = True,
        port: int | None = None,
        quiet_seconds: float = 1.0,
        listener: str = "",
    ) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        found, self.health_port = free_ports(2)
        self.port = port or found
        self.state = folder / "state"
        (folder / "site.key").write_text(SITE_KEY)
        if archive is None:
            where = 'kind = "dicomweb"\nurl = "http://127.0.0.1:9"'
        elif http:
            where = f'kind = "dicomweb"\nurl = "{archive.dicomweb}"'
        else:
            where = f'kind = "dimse"\nae_title = "{archive.ae_title}"\nhost = "127.0.0.1"\nport = {archive.dicom_port}'
            where += '\nretrieve = "move"'
        self.config = folder / "bridge.toml"
        self.config.write_text(f"""
state = "state"
{top}
[service]
url = "{service}"
patience_seconds = 0.5
[listener]
ae_title = "{AE_TITLE}"
port = {self.port}
free_bytes = 1000000
peers = [{{ae_title = "{SCANNER}"}}, {{ae_title = "ARCHIVE"}}]
{listener}
[archive]
{where}
[complete]
quiet_seconds = {quiet_seconds}
[retry]
attempts = 40
first_seconds = 0.2
longest_seconds = 1.0
[privacy]
key_file = "site.key"
[health]
port = {self.health_port}
{tail}
{rules}
""")
        self.process: Running | None = None

    @property
    def log(self) -> Path:
        """What the bridge writes."""
        return self.folder / "bridge.log"

    def start(self) -> None:
        """Returns once it is ready."""
        environment = {"OMP_NUM_THREADS": "1"}
        self.process = Running([PROGRAM, "bridge", "--config", self.config], self.log, environment, self.folder)
        self.process.wait_until(self.ready, "the bridge is ready")

    def kill(self) -> None:
        """As a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process = None

    def stop(self) -> None:
        """In order."""
        if self.process is not None:
            self.process.stop()
            self.process = None

    def ready(self) -> bool:
        """Whether ``/readyz`` says so."""
        try:
            return self.get("/readyz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def get(self, path: str) -> httpx.Response:
        """Of its health port."""
        return httpx.get(f"http://127.0.0.1:{self.health_port}{path}", timeout=5.0)

    def run(self, *arguments: str, code: int = 0) -> str:
        """A command about it."""
        command = [PROGRAM, "bridge", *arguments, "--config", self.config]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def status(self) -> dict[str, Any]:
        """``bridge status --json --all``."""
        found: dict[str, Any] = json.loads(self.run("status", "--json", "--all"))
        return found

    def jobs(self, *states: str) -> list[dict[str, Any]]:
        """Jobs, the latest first; those in some states only."""
        return [job for job in self.status()["jobs"] if not states or job["state"] in states]

    def counts(self) -> dict[str, int]:
        """Jobs by state, from the numbers: much quicker than a command."""
        lines = [line for line in self.get("/metrics").text.splitlines() if line.startswith("eigenwarp_bridge_jobs{")]
        return {line.split('"')[1]: int(float(line.rpartition(" ")[2])) for line in lines}

    def settled(self, count: int, seconds: float = 60.0) -> list[dict[str, Any]]:
        """Wait until so many jobs are over, and no other is on its way."""

        def over() -> bool:
            counts = self.counts()
            ended = sum(counts[state] for state in OVER)
            return ended >= count and ended == sum(counts.values())

        try:
            wait_until(over, f"{count} jobs are over", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.run('status')}\n{self.log.read_text()[-4000:]}") from None
        return self.jobs()


# What DCMTK's storescu proposes beside the uncompressed ones; one at a time.
_PROPOSED = {RLELossless: "-xr", JPEGLosslessSV1: "-xs", JPEGLSLossless: "-xt", JPEG2000Lossless: "-xv"}


def send(datasets: Sequence[Dataset], port: int) -> None:
    """As DCMTK's storescu sends, on which other senders are built: all are taken, or the test fails.

    Args:
        datasets: uncompressed, or in one transfer syntax.
    """
    if shutil.which("storescu") is None:
        pytest.skip("the Debian package dcmtk, whose storescu sends the series, is missing")
    with TemporaryDirectory() as folder:
        for number, dataset in enumerate(datasets):
            (Path(folder) / f"{number:05d}.dcm").write_bytes(encoded(dataset))
        proposed = [_PROPOSED[syntax] for syntax in _PROPOSED if syntax == datasets[0].file_meta.TransferSyntaxUID]
        command = [
            "storescu",
            "-aet",
            SCANNER,
            "-aec",
            AE_TITLE,
            "-R",
            *proposed,
            "127.0.0.1",
            str(port),
            "+sd",
            folder,
        ]
        environment = {**os.environ, "TCP_NODELAY": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr


def statuses(datasets: Sequence[Dataset], port: int) -> list[int]:
    """What each of a few instances is answered, over one association."""
    association = associate(datasets, port)
    assert association.is_established
    found = []
    try:
        for dataset in datasets:
            found.append(association.send_c_store(dataset).Status)
            # pynetdicom's own reactor takes the answer to a call that follows too quickly upon another.
            time.sleep(0.02)
    finally:
        association.release()
    return found


def associate(datasets: Sequence[Dataset], port: int, *, called: str = AE_TITLE, calling: str = SCANNER) -> Association:
    """An association for what is to be sent."""
    entity = AE(ae_title=calling)
    for sop_class, syntax in {(one.SOPClassUID, one.file_meta.TransferSyntaxUID) for one in datasets}:
        entity.add_requested_context(sop_class, syntax)
    return entity.associate("127.0.0.1", port, ae_title=called, evt_handlers=[(evt.EVT_CONN_OPEN, without_delay)])


def encoded(dataset: FileDataset | Dataset) -> bytes:
    """A Part 10 file."""
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def stored(archive: OrthancServer, modality: str) -> list[Dataset]:
    """What the archive has of a modality."""
    return [dcmread(BytesIO(archive.file(one))) for one in archive.find("Instance", Modality=modality)]
