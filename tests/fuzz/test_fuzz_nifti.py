import random
from collections import Counter

import pytest

from tests.fuzz import fuzz_nifti


def test_every_seed_file_is_read() -> None:
    assert {fuzz_nifti.check(content) for content in fuzz_nifti.seed_files()} == {"read"}


def test_mutated_files_are_read_or_refused_and_nothing_else_escapes() -> None:
    rng, seeds = random.Random(20), fuzz_nifti.seed_files()
    outcomes = Counter(fuzz_nifti.check(fuzz_nifti.mutate(rng.choice(seeds), rng)) for _ in range(1500))
    # The mutations reach every refusal that reading knows, and leave enough files readable.
    assert outcomes["read"] > 100
    assert {
        "EmptyVolumeError",
        "GeometryInvalidError",
        "VolumeNotNiftiError",
        "VolumeShapeError",
        "VolumeTooLargeError",
        "VoxelsNotFiniteError",
    } <= outcomes.keys()


def test_the_fuzzer_notices_a_foreign_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(content: bytes, limits: object) -> None:
        raise IndexError(len(content))

    monkeypatch.setattr(fuzz_nifti, "volume_from_bytes", careless)
    with pytest.raises(fuzz_nifti.RuleBrokenError, match="IndexError escaped"):
        fuzz_nifti.check(fuzz_nifti.seed_files()[0])
