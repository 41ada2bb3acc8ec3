"""Each error has its row in the table of problems."""

from eigenwarp import errors
from eigenwarp.errors import EigenwarpError, RateLimitedError, VolumeTooLargeError
from eigenwarp.schemas.problem_types import PROBLEM_TYPES, problem_of


def test_every_error_class_has_a_row_of_its_own() -> None:
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, EigenwarpError)]
    codes = [c.code for c in classes]
    assert len(codes) == len(set(codes))
    assert set(codes) <= set(PROBLEM_TYPES)


def test_only_statuses_of_failures_are_given() -> None:
    assert all(400 <= row.status < 600 for row in PROBLEM_TYPES.values())
    assert PROBLEM_TYPES["rate-limited"].status == 429
    assert {PROBLEM_TYPES[code].status for code in ("store-unavailable", "queue-full")} == {503}


def test_an_error_keeps_its_detail() -> None:
    found = problem_of(VolumeTooLargeError("7 voxels, the limit is 6"), instance="req_1")
    assert (found.type, found.status) == ("/problems/volume-too-large", 413)
    assert (found.detail, found.instance) == ("7 voxels, the limit is 6", "req_1")
    assert problem_of(RateLimitedError("10 calls a minute", 3.0)).status == 429


def test_of_an_unexpected_error_nothing_is_told() -> None:
    found = problem_of(KeyError("Jane Doe"))
    assert (found.type, found.status) == ("/problems/internal", 500)
    assert "Jane" not in found.model_dump_json()
