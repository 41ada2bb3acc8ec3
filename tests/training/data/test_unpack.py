"""Nothing but a task's own files leaves an archive."""

import gzip
import tarfile
from pathlib import Path

import pytest

from eigenwarp.errors import DataSetError
from tests.training.data.conftest import Member, archive_bytes, plain_member
from training.data import unpack
from training.data.unpack import unpack_task

GOOD = "Task04_Hippocampus/imagesTr/hippocampus_001.nii.gz"


def unpacked(tmp_path: Path, content: bytes) -> set[str]:
    archive, into = tmp_path / "a.tar", tmp_path / "into"
    archive.write_bytes(content)
    into.mkdir()
    unpack_task(archive, "Task04_Hippocampus", into)
    return {str(path.relative_to(into)) for path in into.rglob("*") if path.is_file()}


def special_member(name: str, kind: bytes, target: str = "") -> Member:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info, b""


@pytest.mark.parametrize("prefix", ["", "./"])
def test_members_of_the_task_are_unpacked(tmp_path: Path, prefix: str) -> None:
    content = archive_bytes([plain_member(prefix + GOOD, b"voxels")])
    assert unpacked(tmp_path, content) == {"imagesTr/hippocampus_001.nii.gz"}
    assert (tmp_path / "into/imagesTr/hippocampus_001.nii.gz").read_bytes() == b"voxels"


def test_compressed_archive_is_unpacked(tmp_path: Path) -> None:
    assert unpacked(tmp_path, gzip.compress(archive_bytes([plain_member(GOOD, b"voxels")])))


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    hidden = plain_member("Task04_Hippocampus/imagesTr/._hippocampus_001.nii.gz", b"x")
    folder = special_member("Task04_Hippocampus/imagesTr", tarfile.DIRTYPE)
    assert unpacked(tmp_path, archive_bytes([folder, hidden])) == set()


@pytest.mark.parametrize(
    "member",
    [
        plain_member("../evil.nii.gz", b"x"),
        plain_member("/etc/evil.nii.gz", b"x"),
        plain_member("Task04_Hippocampus/imagesTr/../../../evil.nii.gz", b"x"),
        plain_member("Task04_Hippocampus/../.evil", b"x"),
        plain_member("Task04_Hippocampus/imagesTr/evil.sh", b"x"),
        plain_member("Task04_Hippocampus/imagesTr/hippocampus_001.nii.gz\n", b"x"),
        plain_member("Task09_Spleen/imagesTr/spleen_1.nii.gz", b"x"),
        plain_member("dataset.json", b"x"),
        special_member(GOOD, tarfile.SYMTYPE, "/etc/passwd"),
        special_member(GOOD, tarfile.LNKTYPE, "../../../etc/passwd"),
        special_member(GOOD, tarfile.FIFOTYPE),
        special_member(GOOD, tarfile.CHRTYPE),
    ],
    ids=lambda member: f"{member[0].name!r}-{member[0].type.decode()}",
)
def test_hostile_member_is_refused_and_writes_nothing(tmp_path: Path, member: Member) -> None:
    with pytest.raises(DataSetError, match=r"the archive (names|holds)"):
        unpacked(tmp_path, archive_bytes([member]))
    assert {path.name for path in tmp_path.rglob("*")} == {"a.tar", "into"}


def test_member_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="twice"):
        unpacked(tmp_path, archive_bytes([plain_member(GOOD, b"one"), plain_member(GOOD, b"two")]))


def test_archive_cut_within_a_member_is_refused(tmp_path: Path) -> None:
    whole = archive_bytes([plain_member(GOOD, b"v" * 5000)])
    with pytest.raises(DataSetError):
        unpacked(tmp_path, whole[:2000])


def test_anything_but_an_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="cannot be unpacked"):
        unpacked(tmp_path, b"<html>moved</html>" * 100)


def test_member_claiming_a_giant_size_is_refused(tmp_path: Path) -> None:
    info, _ = plain_member(GOOD, b"")
    info.size = unpack._MEMBER_BYTES_MAX + 1
    with pytest.raises(DataSetError, match="larger than a task can be"):
        unpacked(tmp_path, info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 10240)


def test_endless_members_are_refused(tmp_path: Path) -> None:
    hidden = [plain_member(f"Task04_Hippocampus/.{n}", b"") for n in range(unpack._MEMBERS_MAX + 1)]
    with pytest.raises(DataSetError, match="larger than a task can be"):
        unpacked(tmp_path, archive_bytes([*hidden, plain_member(GOOD, b"x")]))
