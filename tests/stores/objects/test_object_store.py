"""What every object store does, shown on a folder and on a real S3 server."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eigenwarp.errors import ObjectUnknownError, OptionInvalidError, StoreUnavailableError, VolumeTooLargeError
from eigenwarp.stores.objects import ObjectStore

LARGER_THAN_A_PART = (16 << 20) + 12345


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_what_was_put_comes_back(store: ObjectStore, size: int) -> None:
    written = store.put("jobs/a/1/field.nii.gz", content(size), "application/gzip")
    assert (written.key, written.bytes) == ("jobs/a/1/field.nii.gz", size)
    assert abs(datetime.now(UTC) - written.modified) < timedelta(minutes=5)
    assert store.get("jobs/a/1/field.nii.gz") == content(size)
    found = store.stat("jobs/a/1/field.nii.gz")
    assert found is not None
    assert found.bytes == size
    assert abs(found.modified - written.modified) < timedelta(minutes=1)


def test_a_file_of_several_parts_comes_back(store: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(content(LARGER_THAN_A_PART))
    assert store.put("large", file).bytes == LARGER_THAN_A_PART
    assert store.fetch("large", tmp_path / "back") == LARGER_THAN_A_PART
    assert (tmp_path / "back").read_bytes() == file.read_bytes()
    assert len(list(store.stream("large"))) > 16


def test_writing_to_a_key_again_replaces_the_object(store: ObjectStore) -> None:
    store.put("key", b"a longer one")
    store.put("key", b"short")
    assert store.get("key") == b"short"
    assert [found.bytes for found in store.list("key")] == [5]


def test_what_is_not_there_is_said_before_the_first_block(store: ObjectStore, tmp_path: Path) -> None:
    store.put("there/too", b"x")
    for key in ("nothing", "there", "there/too/deep"):
        for ask in (store.get, store.stream, lambda key: store.stream(key, 0, 0)):
            with pytest.raises(ObjectUnknownError, match=key):
                ask(key)
        with pytest.raises(ObjectUnknownError):
            store.fetch(key, tmp_path / "file")
        assert store.stat(key) is None
        store.delete(key)
    assert not (tmp_path / "file").exists()
    assert store.get("there/too") == b"x"


@pytest.mark.parametrize("start", [0, 1, 99_999, 100_000, 100_001])
@pytest.mark.parametrize("length", [None, 0, 1, 50_000, 100_000, 1_000_000])
def test_a_range_is_the_slice_of_the_bytes(store: ObjectStore, start: int, length: int | None) -> None:
    whole = content(100_000)
    store.put("key", whole)
    end = None if length is None else start + length
    assert b"".join(store.stream("key", start, length)) == whole[start:end]


def test_a_range_of_an_empty_object_is_empty(store: ObjectStore) -> None:
    store.put("key", b"")
    assert b"".join(store.stream("key", 0, 10)) == b"".join(store.stream("key", 5)) == b""


@pytest.mark.parametrize(("start", "length"), [(-1, None), (0, -1)])
def test_a_range_before_the_object_is_refused(store: ObjectStore, start: int, length: int | None) -> None:
    store.put("key", b"content")
    with pytest.raises(OptionInvalidError, match="range"):
        store.stream("key", start, length)


def test_streams_left_halfway_give_their_connections_back(store: ObjectStore) -> None:
    store.put("key", content(1_000_000))
    for _ in range(50):
        blocks = store.stream("key")
        with closing(blocks):  # type: ignore[type-var]
            assert next(blocks)
    assert len(store.get("key")) == 1_000_000


def test_fetching_replaces_a_file_and_keeps_to_the_limit(store: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"what was there before, and longer")
    store.put("key", b"0123456789")
    assert store.fetch("key", file, limit=10) == 10
    assert file.read_bytes() == b"0123456789"
    with pytest.raises(VolumeTooLargeError, match="9 bytes"):
        store.fetch("key", file, limit=9)
    assert not file.exists()


def test_a_file_that_finds_no_room_is_not_left_half_written(
    store: ObjectStore, tmp_path: Path, little_room: Callable[[int], AbstractContextManager[None]]
) -> None:
    store.put("key", content(1_000_000))
    with little_room(300_000), pytest.raises(StoreUnavailableError, match="room"):
        store.fetch("key", tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_listing_goes_by_prefix_through_all_folders(store: ObjectStore) -> None:
    keys = {"jobs/a/1/field", "jobs/a/2/field", "jobs/ab/1/field", "models/m/v/model.json", "single"}
    for key in keys:
        store.put(key, key.encode())

    def listed(prefix: str) -> set[str]:
        return {found.key for found in store.list(prefix)}

    assert listed("") == keys
    assert listed("jobs/") == {key for key in keys if key.startswith("jobs/")}
    assert listed("jobs/a") == {key for key in keys if key.startswith("jobs/a")}
    assert listed("jobs/a/") == {"jobs/a/1/field", "jobs/a/2/field"}
    assert listed("jobs/a/1/field") == {"jobs/a/1/field"}
    assert listed("nothing/here") == set()
    assert {found.key: found.bytes for found in store.list("si")} == {"single": 6}


def test_more_objects_than_a_server_lists_at_once(store: ObjectStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: store.put(f"many/{number:04}", b"x"), range(1050)))
    assert len(list(store.list("many/"))) == 1050
    assert store.delete_prefix("many/") == 1050
    assert list(store.list("")) == []


def test_deleting_a_prefix_takes_its_folder_alone(store: ObjectStore) -> None:
    for key in ("jobs/a/1/field", "jobs/a/1/deep/er", "jobs/ab/1/field", "jobs/a.json"):
        store.put(key, b"x")
    assert store.delete_prefix("jobs/a/") == 2
    assert {found.key for found in store.list("")} == {"jobs/ab/1/field", "jobs/a.json"}
    assert store.delete_prefix("jobs/a/") == 0
    store.put("jobs/a/1/field", b"again")
    assert store.get("jobs/a/1/field") == b"again"


@pytest.mark.parametrize("prefix", ["", "jobs", "/", "../", "jobs//", "jobs/../"])
def test_a_prefix_that_is_no_folder_is_not_deleted(store: ObjectStore, prefix: str) -> None:
    store.put("jobs/a", b"x")
    with pytest.raises(OptionInvalidError):
        store.delete_prefix(prefix)
    assert store.get("jobs/a") == b"x"


def test_a_deleted_object_is_gone_and_can_be_deleted_again(store: ObjectStore) -> None:
    store.put("a/b/c", b"x")
    store.delete("a/b/c")
    store.delete("a/b/c")
    assert store.stat("a/b/c") is None
    assert list(store.list("")) == []


@pytest.mark.parametrize(
    "key",
    [
        *(
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../../x",
            "a/./x",
            "a//x",
            "a/",
            "a\\..\\x",
            "a b",
            "a\0",
            "a\nb",
            "ä",
        ),
        *("%2e%2e/x", "~/x", "a?versionId=1", "x" * 201, "/".join(["part"] * 200)),
    ],
)
def test_a_key_that_leaves_the_store_is_refused_by_every_call(store: ObjectStore, key: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"untouched")
    calls: list[Callable[[], object]] = [
        lambda: store.put(key, b"x"),
        lambda: store.get(key),
        lambda: store.stream(key),
        lambda: store.fetch(key, file),
        lambda: store.stat(key),
        lambda: store.delete(key),
        lambda: store.presigned_get(key, timedelta(minutes=1), "name", "text/plain"),
        lambda: store.presigned_put(key, timedelta(minutes=1)),
    ]
    for call in calls:
        with pytest.raises(OptionInvalidError, match="object key"):
            call()
    assert file.read_bytes() == b"untouched"
    assert list(store.list("")) == []


@pytest.mark.parametrize("prefix", ["/", "../", "a/../b", "a//", "a\\", "ä"])
def test_a_listing_outside_the_store_is_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(OptionInvalidError):
        list(store.list(prefix))


def test_writers_of_one_key_at_once_leave_one_of_their_objects_whole(store: ObjectStore) -> None:
    candidates = {content(200_000 + seed, seed) for seed in range(6)}
    store.put("key", next(iter(candidates)))
    with ThreadPoolExecutor(8) as threads:
        writing = [threads.submit(store.put, "key", candidate) for candidate in candidates for _ in range(3)]
        reading = [threads.submit(store.get, "key") for _ in range(20)]
        for done in writing:
            done.result()
        assert {done.result() for done in reading} <= candidates
    assert store.get("key") in candidates
    assert len(list(store.list(""))) == 1


def test_a_folder_that_is_emptied_while_others_write_to_it_loses_none_of_theirs(store: ObjectStore) -> None:
    def come_and_go(writer: int) -> None:
        for number in range(20):
            store.put(f"shared/deep/{writer}-{number}", b"x")
            if number < 19:
                store.delete(f"shared/deep/{writer}-{number}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(come_and_go, range(4)))
    assert {found.key for found in store.list("shared/")} == {f"shared/deep/{writer}-19" for writer in range(4)}


def test_a_store_that_can_be_written_to_says_so_and_keeps_nothing_of_it(store: ObjectStore) -> None:
    store.check()
    assert list(store.list("")) == []
