"""What only the folder does: crashes, full disks, and names that a file system cannot hold."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from eigenwarp.errors import OptionInvalidError, StoreUnavailableError
from eigenwarp.stores.objects import FolderStore

LittleRoom = Callable[[int], AbstractContextManager[None]]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("by_file", [False, True])
def test_a_full_disk_is_said_and_leaves_the_old_object(
    folder: FolderStore, tmp_path: Path, little_room: LittleRoom, by_file: bool
) -> None:
    folder.put("key", b"old")
    large = tmp_path / "large"
    large.write_bytes(bytes(1_000_000))
    with little_room(500_000), pytest.raises(StoreUnavailableError, match="object folder"):
        folder.put("key", large if by_file else bytes(1_000_000))
    assert folder.get("key") == b"old"
    assert len(files_below(tmp_path / "store")) == 1
    folder.put("key", bytes(1_000_000))
    assert len(folder.get("key")) == 1_000_000


def test_what_a_crash_left_half_written_is_no_object_and_goes_after_a_day(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    store.put("key", b"x")
    partial = tmp_path / "store" / "partial"
    (partial / "fresh").write_bytes(b"half")
    (partial / "abandoned").write_bytes(b"half")
    long_ago = time.time() - timedelta(days=2).total_seconds()
    os.utime(partial / "abandoned", (long_ago, long_ago))
    again = FolderStore(tmp_path / "store")
    assert [found.key for found in again.list("")] == ["key"]
    assert [path.name for path in partial.iterdir()] == ["fresh"]


def test_an_object_survives_the_store(folder: FolderStore, tmp_path: Path) -> None:
    folder.put("a/b", b"x")
    folder.close()
    assert FolderStore(tmp_path / "store").get("a/b") == b"x"


def test_a_key_above_or_below_an_object_is_refused(folder: FolderStore) -> None:
    folder.put("a/b", b"x")
    for key in ("a", "a/b/c", "a/b/c/d"):
        with pytest.raises(OptionInvalidError, match="above or below"):
            folder.put(key, b"y")
    assert [found.key for found in folder.list("")] == ["a/b"]


def test_folders_that_hold_nothing_are_removed(folder: FolderStore, tmp_path: Path) -> None:
    folder.put("jobs/a/1/field", b"x")
    folder.put("jobs/b/1/field", b"x")
    folder.delete_prefix("jobs/a/")
    assert [path.name for path in (tmp_path / "store" / "objects" / "jobs").iterdir()] == ["b"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailableError, match="Not a directory"):
        FolderStore(tmp_path / "file" / "store")


def test_a_folder_that_went_away_is_not_writable(folder: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailableError):
        folder.check()
    with pytest.raises(StoreUnavailableError):
        folder.put("key", b"x")
    (tmp_path / "elsewhere").rename(tmp_path / "store")
    folder.check()


def test_a_folder_has_no_urls_to_give(folder: FolderStore) -> None:
    folder.put("key", b"x")
    assert folder.presigned_get("key", timedelta(minutes=1), "name", "text/plain") is None
    assert folder.presigned_put("key", timedelta(minutes=1)) is None
