"""Small data sets on disk, and a server that hands out an archive as the publishers' does."""

import hashlib
import io
import json
import re
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.nifti import segmentation_to_bytes, volume_to_bytes
from training.data.split import read_split

SHAPE = (4, 5, 6)
GEOMETRY = Geometry.from_spacing(SHAPE)


def image_bytes() -> bytes:
    return volume_to_bytes(Volume(np.arange(120, dtype=np.float32).reshape(SHAPE), GEOMETRY))


def label_bytes(geometry: Geometry = GEOMETRY) -> bytes:
    return segmentation_to_bytes(Segmentation((np.arange(120) % 3).reshape(SHAPE).astype(np.uint16), geometry))


FolderMaker = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> FolderMaker:
    """Makes ``images/`` and ``labels/`` of the named subjects, with a ``split.json`` where one is given."""

    def make(*names: str, split: object = None) -> Path:
        root = tmp_path / "set"
        (root / "images").mkdir(parents=True)
        (root / "labels").mkdir()
        for name in names:
            (root / "images" / f"{name}.nii.gz").write_bytes(image_bytes())
            (root / "labels" / f"{name}.nii.gz").write_bytes(label_bytes())
        if split is not None:
            (root / "split.json").write_text(json.dumps(split))
        return root

    return make


def decathlon_index(training: list[str], test: list[str]) -> bytes:
    index = {
        "name": "Hippocampus",
        "tensorImageSize": "3D",
        "labels": {"0": "background", "1": "Anterior", "2": "Posterior"},
        "numTraining": len(training),
        "numTest": len(test),
        "training": [{"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"} for name in training],
        "test": [f"./imagesTs/{name}.nii.gz" for name in test],
    }
    return json.dumps(index).encode()


@pytest.fixture
def decathlon(tmp_path: Path) -> FolderMaker:
    """Makes a Decathlon task of the named training subjects, and of test subjects."""

    def make(*names: str, test: tuple[str, ...] = ()) -> Path:
        root = tmp_path / "task"
        for part in ("imagesTr", "labelsTr", "imagesTs"):
            (root / part).mkdir(parents=True)
        for name in names:
            (root / "imagesTr" / f"{name}.nii.gz").write_bytes(image_bytes())
            (root / "labelsTr" / f"{name}.nii.gz").write_bytes(label_bytes())
        for name in test:
            (root / "imagesTs" / f"{name}.nii.gz").write_bytes(image_bytes())
        (root / "dataset.json").write_bytes(decathlon_index(list(names), list(test)))
        return root

    return make


Member = tuple[tarfile.TarInfo, bytes]


def plain_member(name: str, content: bytes) -> Member:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, content


def archive_bytes(members: list[Member]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture(scope="session")
def hippocampus_members() -> list[Member]:
    """The published archive's layout: its folders, macOS companions, 260 segmented and some unsegmented subjects."""
    split = read_split(Path(__file__).parents[3] / "training" / "data" / "splits" / "hippocampus.json")
    names = [name for group in split.values() for name in group] + [f"hippocampus_9{n:02d}" for n in range(20)]
    test = ["hippocampus_002", "hippocampus_005"]
    task = "Task04_Hippocampus"
    image, label = image_bytes(), label_bytes()
    folder = tarfile.TarInfo(task)
    folder.type = tarfile.DIRTYPE
    members = [(folder, b""), plain_member(f"{task}/dataset.json", decathlon_index(names, test))]
    members.append(plain_member(f"{task}/._dataset.json", b"\x00\x05\x16\x07"))
    for name in names:
        members.append(plain_member(f"{task}/imagesTr/{name}.nii.gz", image))
        members.append(plain_member(f"{task}/imagesTr/._{name}.nii.gz", b"\x00\x05\x16\x07"))
        members.append(plain_member(f"{task}/labelsTr/{name}.nii.gz", label))
    members += [plain_member(f"{task}/imagesTs/{name}.nii.gz", image) for name in test]
    return members


class ArchiveServer(ThreadingHTTPServer):
    """Serves one file at any path.

    Set ``hang_up_after`` to close the connection after so many bytes of a body, ``ranges`` to ignore the Range header,
    ``sized`` to leave out the length. ``asked`` holds the Range header of every request.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.hang_up_after: int | None = None
        self.ranges = True
        self.sized = True
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/Task04_Hippocampus.tar"

    @property
    def md5(self) -> str:
        return hashlib.md5(self.content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    server: ArchiveServer

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.asked.append(asked)
        content = self.server.content
        start = 0
        match = re.fullmatch(r"bytes=(\d+)-", asked or "") if self.server.ranges else None
        if match:
            start = int(match[1])
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        body = content[start:]
        if self.server.sized:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.hang_up_after])

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output free of access lines."""


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], ArchiveServer]]:
    running: list[ArchiveServer] = []

    def start(content: bytes) -> ArchiveServer:
        server = ArchiveServer(content)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()
