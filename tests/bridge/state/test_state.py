"""When a series is whole, what its job is called, and what outlives a restart."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.keeper import remove_old
from bridge.state import State, open_state
from bridge.state.job_states import JobState, ResultState
from bridge.state.jobs import JobRecord
from bridge.state.results import NewResult, ObjectIdentity
from eigenwarp.errors import OptionInvalidError, StoreUnavailableError
from tests.bridge.state.states import add, config


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(config(tmp_path)) as made:
        yield made


def opened(state: State, series: str) -> JobRecord:
    key = state.jobs.open(series)
    assert key is not None
    return got(state, key)


def got(state: State, key: str) -> JobRecord:
    job = state.jobs.get(key)
    assert job is not None
    return job


def test_a_series_is_whole_when_nothing_has_come_for_a_while(state: State) -> None:
    now = time.time()
    add(state, "a", 1, at=now - 10)
    add(state, "a", 2, at=now - 3)
    assert state.series.whole(5, use_count=True, now=now) == []
    assert state.series.whole(3, use_count=True, now=now) == ["a"]


def test_a_series_is_whole_when_as_many_have_come_as_it_says(state: State) -> None:
    add(state, "a", 1, expected=2)
    assert state.series.whole(60, use_count=True) == []
    add(state, "a", 2, expected=2)
    assert state.series.whole(60, use_count=True) == ["a"]
    assert state.series.whole(60, use_count=False) == []


def test_a_series_is_whole_when_someone_says_so(state: State) -> None:
    add(state, "a", 1, expected=9)
    assert not state.series.ask("b")
    assert state.series.ask("a")
    assert state.series.whole(60, use_count=True) == ["a"]


def test_a_duplicate_changes_nothing_and_keeps_no_series_open(state: State) -> None:
    now = time.time()
    assert add(state, "a", 1, at=now - 10)
    assert not add(state, "a", 1, at=now)
    assert state.series.whole(5, use_count=True, now=now) == ["a"]
    opened(state, "a")
    assert not add(state, "a", 1)
    assert state.series.whole(0, use_count=True) == []


def test_the_same_instances_are_the_same_job_in_whatever_order_they_come(tmp_path: Path) -> None:
    keys = []
    for folder, order in (("x", (1, 2, 3)), ("y", (3, 1, 2))):
        with open_state(config(tmp_path / folder)) as state:
            for number in order:
                add(state, "a", number)
            keys.append(state.jobs.open("a"))
            assert state.jobs.open("a") is None
    assert keys[0] == keys[1]


def test_late_slices_make_a_revision_that_takes_the_place_of_what_was_not_sent(state: State) -> None:
    add(state, "a", 1)
    first = opened(state, "a")
    assert state.jobs.end(first, JobState.FAILED, "series-slice-missing", "a gap")
    add(state, "a", 2)
    second = opened(state, "a")
    assert (second.revision, second.images) == (2, 2)
    assert got(state, first.key).state is JobState.SUPERSEDED
    assert state.jobs.instances(first.key) == ["a-1"]


def test_a_job_that_has_sent_something_goes_on_beside_its_next_revision(state: State) -> None:
    add(state, "a", 1)
    first = opened(state, "a")
    assert state.jobs.advance(first, JobState.MADE)
    add(state, "a", 2)
    opened(state, "a")
    assert got(state, first.key).state is JobState.MADE


def test_a_change_from_a_state_that_is_past_is_refused(state: State) -> None:
    add(state, "a", 1)
    read = opened(state, "a")
    assert state.jobs.advance(read, JobState.SELECTED, rule="any", notes={"side": "left"})
    assert not state.jobs.advance(read, JobState.SELECTED)
    assert not state.jobs.end(read, JobState.FAILED, "late", "too late")
    now = got(state, read.key)
    assert (now.state, now.rule, now.notes["side"]) == (JobState.SELECTED, "any", "left")


def test_a_job_that_is_put_off_is_due_when_its_time_has_come(state: State) -> None:
    add(state, "a", 1)
    job = opened(state, "a")
    assert state.jobs.due() == [job.key]
    state.jobs.put_off(job, time.time() + 60, "archive-unreachable", "no answer", 1)
    assert state.jobs.due() == []
    assert state.jobs.due(time.time() + 61) == [job.key]
    assert got(state, job.key).reason == "no answer"


def test_a_dead_letter_goes_on_where_it_failed(state: State) -> None:
    add(state, "a", 1)
    job = opened(state, "a")
    state.jobs.advance(job, JobState.MADE)
    identity = ObjectIdentity("1", "2", "3", "4")
    state.results.replace(job.key, [NewResult("r", "s", "segmentation", identity)])
    (result,) = state.results.of(job.key)
    state.results.miss(result, ResultState.FAILED, "archive-refused", 0)
    state.jobs.end(got(state, job.key), JobState.FAILED, "delivery-failed", "1 of 1")
    assert not state.jobs.retry(job)
    assert state.jobs.retry(got(state, job.key))
    assert got(state, job.key).state is JobState.MADE
    (again,) = state.results.of(job.key)
    assert (again.state, again.attempts, again.identity) == (ResultState.MADE, 0, identity)
    assert state.results.is_own("r", "elsewhere")
    assert state.results.is_own("elsewhere", "s")
    assert not state.results.is_own("elsewhere", "elsewhere")


def test_a_key_may_be_shortened_while_it_is_of_one_job(state: State) -> None:
    for series in ("aaaa", "aabb"):
        add(state, series, 1)
        opened(state, series)
    found = state.jobs.get("aaa")
    assert found is not None
    assert found.series == "aaaa"
    assert state.jobs.get("aa") is None


def test_everything_is_there_after_a_restart_and_sealed_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a key that is long enough to be taken")
    settings = config(tmp_path / "state", privacy={"key_file": tmp_path / "key"})
    with open_state(settings) as state:
        add(state, "a", 1)
        path = state.spool.instance("a", "a-1")
        state.spool.write(path, b"Avasarala^Chrisjen")
        job = opened(state, "a")
        state.jobs.end(job, JobState.FAILED, "series-mixed", "the reason in words")
        state.cursors.set("watch", "17")
    with open_state(settings) as state:
        assert got(state, job.key).reason == "the reason in words"
        assert state.spool.read(path) == b"Avasarala^Chrisjen"
        assert state.cursors.get("watch") == "17"
        series = state.series.get("a")
        assert series is not None
        assert series.identity.series_uid == "1.2.3.a"
    kept = b"".join(file.read_bytes() for file in (tmp_path / "state").rglob("*") if file.is_file())
    assert len(kept) > 1000
    for text in (b"Avasarala", b"1.2.3.a", b"the reason in words"):
        assert text not in kept


def test_two_bridges_do_not_share_a_folder(tmp_path: Path) -> None:
    with open_state(config(tmp_path), alone=True):
        with (
            pytest.raises(OptionInvalidError, match="belongs to a bridge that runs"),
            open_state(config(tmp_path), alone=True),
        ):
            pass
        with open_state(config(tmp_path)) as beside:
            assert beside.jobs.all() == []


def test_a_state_of_a_later_release_is_left_alone(tmp_path: Path) -> None:
    with open_state(config(tmp_path)) as state, state.database.transaction() as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreUnavailableError, match="has version 99"), open_state(config(tmp_path)):
        pass


def test_files_of_what_is_over_go_after_a_time_and_the_memory_of_it_stays(state: State) -> None:
    add(state, "a", 1, at=time.time() - 7200)
    state.spool.write(state.spool.instance("a", "a-1"), b"pixels")
    job = opened(state, "a")
    state.spool.write(state.spool.of_job(job.key, "field"), b"field")
    assert remove_old(state, 0) == 0
    state.jobs.advance(job, JobState.CONFIRMED)
    assert remove_old(state, 1) == 0
    assert remove_old(state, 0) == 1
    assert remove_old(state, 0) == 0
    assert not state.spool.instance("a", "a-1").exists()
    assert not state.spool.of_job(job.key, "field").exists()
    add(state, "a", 1)
    assert state.jobs.open("a") is None
    assert got(state, job.key).state is JobState.CONFIRMED
