"""The download resumes, believes nothing unchecked, and leaves either a whole data set or none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from eigenwarp.errors import DataSetError, OptionInvalidError
from tests.training.data.conftest import ArchiveServer, Member, archive_bytes
from training.data.cohort import open_cohort
from training.data.download import get_hippocampus
from training.data.fetch import fetch

Serve = Callable[[bytes], ArchiveServer]


@pytest.fixture
def server(serve: Serve, hippocampus_members: list[Member]) -> ArchiveServer:
    return serve(archive_bytes(hippocampus_members))


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_archive_becomes_a_data_set_with_the_projects_split(server: ArchiveServer, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    root = get_hippocampus(
        tmp_path / "deep" / "hippocampus", server.url, md5=server.md5, progress=lambda *state: told.append(state)
    )
    assert len(open_cohort(root, "train")) == 200
    assert len(open_cohort(root, "validation")) == 40
    assert len(open_cohort(root)) == 260
    assert open_cohort(root).load(0)[1].labels == (1, 2)
    assert not list(root.rglob("._*"))
    assert left_over(root.parent) == ["hippocampus"]
    size = len(server.content)
    assert told[0] == (0, size)
    assert told[-1] == (size, size)
    assert told == sorted(told)


def test_second_call_fetches_nothing(server: ArchiveServer, tmp_path: Path) -> None:
    root = get_hippocampus(tmp_path / "h", server.url, md5=server.md5)
    assert get_hippocampus(tmp_path / "h", server.url, md5=server.md5) == root
    assert server.asked == [None]


def test_download_cut_by_the_server_is_resumed(server: ArchiveServer, tmp_path: Path) -> None:
    server.hang_up_after = 100_000
    with pytest.raises(DataSetError, match=f"100000 of {len(server.content)} bytes"):
        get_hippocampus(tmp_path / "h", server.url, md5=server.md5)
    assert left_over(tmp_path) == ["h.tar.part"]
    server.hang_up_after = None
    root = get_hippocampus(tmp_path / "h", server.url, md5=server.md5)
    assert server.asked == [None, "bytes=100000-"]
    assert len(open_cohort(root)) == 260


def test_download_stopped_by_the_user_is_resumed(server: ArchiveServer, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        if done > 150_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get_hippocampus(tmp_path / "h", server.url, md5=server.md5, progress=stop)
    kept = (tmp_path / "h.tar.part").stat().st_size
    assert kept > 150_000
    get_hippocampus(tmp_path / "h", server.url, md5=server.md5)
    assert server.asked == [None, f"bytes={kept}-"]


def test_server_without_ranges_sends_the_whole_file_again(server: ArchiveServer, tmp_path: Path) -> None:
    (tmp_path / "h.tar.part").write_bytes(b"of another file" * 1000)
    server.ranges = False
    assert len(open_cohort(get_hippocampus(tmp_path / "h", server.url, md5=server.md5))) == 260


def test_finished_part_is_only_checked(server: ArchiveServer, tmp_path: Path) -> None:
    (tmp_path / "h.tar.part").write_bytes(server.content)
    assert len(open_cohort(get_hippocampus(tmp_path / "h", server.url, md5=server.md5))) == 260


def test_wrong_checksum_is_refused_and_dropped(server: ArchiveServer, tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=f"{server.md5}, expected {'0' * 32}"):
        get_hippocampus(tmp_path / "h", server.url, md5="0" * 32)
    assert left_over(tmp_path) == []


def test_resuming_on_a_foreign_part_ends_in_a_wrong_checksum(server: ArchiveServer, tmp_path: Path) -> None:
    (tmp_path / "h.tar.part").write_bytes(b"of another file" * 1000)
    with pytest.raises(DataSetError, match="expected"):
        get_hippocampus(tmp_path / "h", server.url, md5=server.md5)
    get_hippocampus(tmp_path / "h", server.url, md5=server.md5)
    assert server.asked == ["bytes=15000-", None]


def test_archive_short_of_a_subject_leaves_no_data_set(
    serve: Serve, hippocampus_members: list[Member], tmp_path: Path
) -> None:
    server = serve(archive_bytes([m for m in hippocampus_members if "imagesTr/hippocampus_001" not in m[0].name]))
    with pytest.raises(DataSetError, match=r"hippocampus_001\.nii\.gz', which is missing"):
        get_hippocampus(tmp_path / "h", server.url, md5=server.md5)
    assert left_over(tmp_path) == []


def test_archive_truncated_at_its_source_leaves_no_data_set(
    serve: Serve, server: ArchiveServer, tmp_path: Path
) -> None:
    cut = serve(server.content[: len(server.content) // 2])
    with pytest.raises(DataSetError):
        get_hippocampus(tmp_path / "h", cut.url, md5=cut.md5)
    assert left_over(tmp_path) == []


def test_folder_that_holds_something_else_is_left_alone(server: ArchiveServer, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataSetError, match="holds something else"):
        get_hippocampus(tmp_path, server.url, md5=server.md5)
    assert left_over(tmp_path) == ["notes.txt"]
    assert server.asked == []


@pytest.mark.parametrize("sized", [True, False])
def test_more_bytes_than_the_limit_are_refused(serve: Serve, tmp_path: Path, sized: bool) -> None:
    server = serve(b"x" * 300_000)
    server.sized = sized
    with pytest.raises(DataSetError, match="more than the limit of 200000"):
        fetch(server.url, tmp_path / "file", md5=server.md5, size_limit=200_000)
    assert left_over(tmp_path) == []


def test_answer_of_unknown_length_is_taken_by_its_checksum(serve: Serve, tmp_path: Path) -> None:
    server = serve(b"x" * 300_000)
    server.sized = False
    fetch(server.url, tmp_path / "file", md5=server.md5, size_limit=400_000)
    assert (tmp_path / "file").read_bytes() == server.content


def test_server_that_is_not_there_is_named(serve: Serve, tmp_path: Path) -> None:
    server = serve(b"")
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(DataSetError, match=f"{url} cannot be fetched"):
        fetch(url, tmp_path / "file", md5="", size_limit=1)


def test_address_on_this_machines_disk_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    with pytest.raises(OptionInvalidError, match="must start with http"):
        fetch(secret.as_uri(), tmp_path / "file", md5="", size_limit=10)
