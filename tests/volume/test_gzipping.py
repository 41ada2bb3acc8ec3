"""What we pack, any gzip unpacks."""

import gzip
import shutil
import subprocess

import numpy as np
import pytest

from eigenwarp.volume.gzipping import gzipped

CONTENTS = {
    "nothing": b"",
    "zeros": bytes(100_000),
    "noise": np.random.default_rng(0).standard_normal(50_000).astype("<f4").tobytes(),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_the_standard_library_reads_it(name: str) -> None:
    assert gzip.decompress(gzipped(CONTENTS[name])) == CONTENTS[name]


def test_the_gzip_program_reads_it() -> None:
    program = shutil.which("gzip")
    if program is None:
        pytest.skip("no gzip program here")
    done = subprocess.run([program, "-dc"], input=gzipped(CONTENTS["noise"]), capture_output=True, check=True)
    assert done.stdout == CONTENTS["noise"]


def test_the_same_content_gives_the_same_bytes_and_noise_does_not_grow() -> None:
    packed = gzipped(CONTENTS["noise"])
    assert packed == gzipped(CONTENTS["noise"])
    assert len(packed) < len(CONTENTS["noise"])
    assert len(gzipped(CONTENTS["zeros"])) < 1000
