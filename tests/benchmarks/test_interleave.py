import time

from benchmarks.interleave import interleave


def test_each_round_starts_with_another_case() -> None:
    calls: list[str] = []

    def case(name: str) -> None:
        calls.append(name)

    cases = {name: (lambda name=name: case(name)) for name in "abc"}  # type: ignore[misc]  # a default in a lambda
    interleave(cases, rounds=3, budget_seconds=60, warm_up=False)
    assert "".join(calls) == "abc" + "bca" + "cab"


def test_the_warm_up_is_not_counted() -> None:
    values = iter(range(10))
    assert interleave({"count": lambda: next(values)}, rounds=2, budget_seconds=60) == {"count": [1, 2]}


def test_a_spent_budget_ends_the_rounds_after_a_whole_one() -> None:
    def slow() -> int:
        time.sleep(0.02)
        return 1

    found = interleave({"a": slow, "b": slow}, rounds=50, budget_seconds=0.05)
    assert len(found["a"]) == len(found["b"]) == 1
