"""Mutated NIfTI files: whatever the bytes, reading ends in a volume or in one of our own errors, within bounds.

``python tests/fuzz/fuzz_nifti.py --seconds 600 --seed 1``; a file that breaks the rule is kept under ``build/fuzz``.
"""

import argparse
import gzip
import random
import resource
import struct
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))

from eigenwarp.errors import EigenwarpError  # noqa: E402
from eigenwarp.preprocess import Alignment, Preprocessing  # noqa: E402
from eigenwarp.volume import Geometry, Segmentation, Volume  # noqa: E402
from eigenwarp.volume.nifti import (  # noqa: E402
    ReadLimits,
    segmentation_from_bytes,
    segmentation_to_bytes,
    volume_from_bytes,
    volume_to_bytes,
)
from tests.volume.grids import nifti1, noise  # noqa: E402

LIMITS = ReadLimits(voxels=2**18, file_bytes=2**22, extension_bytes=2**16, ratio_floor=2**22)
# What one small file may cost, far above what it does cost and far below what a believed header could ask for.
SECONDS_PER_FILE = 10.0
MEMORY_BYTES = 512 * 2**20
PREPROCESSING = Preprocessing(shape=(8, 10, 12))

_WORDS = (0, 1, 2, 3, 4, 7, 8, 16, 32, 64, 127, 128, 255, 256, 348, 352, 540, 1024, 32767, 32768, 65535, 2**31 - 1,
          2**31, 2**32 - 1)  # fmt: skip
_FLOATS = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    1e-3,
    1e-30,
    1e30,
    3.4e38,
    -3.4e38,
    1e-45,
    float("nan"),
    float("inf"),
    -float("inf"),
)


# Where the fields lie that reading uses, in NIfTI-1 (size, dim, datatype, pixdim, offset, scaling, units, codes, qform,
# sform, magic) and in NIfTI-2.
_FIELDS = (0, *range(40, 52, 2), 70, *range(76, 92, 4), 108, 112, 116, 123, 252, 254, *range(256, 328, 4), 344,
           12, *range(16, 56, 8), *range(104, 136, 8), 168, 176, 184, 348, *range(352, 496, 8), 500)  # fmt: skip


class RuleBrokenError(Exception):
    """Reading did something other than succeed soundly or refuse with our own error."""


def seed_files() -> list[bytes]:
    """Valid files over the voxel types, byte orders, versions and header habits."""
    geometry = Geometry.from_spacing((5, 6, 7), (1.0, 2.0, 0.5))
    volume = volume_to_bytes(Volume(noise((5, 6, 7)), geometry), compressed=False)
    segmentation = segmentation_to_bytes(Segmentation(np.ones((5, 6, 7), np.uint16), geometry), compressed=False)
    long = Geometry.from_spacing((1, 1, 33_000))
    files = [volume, segmentation, volume_to_bytes(Volume(noise(long.shape), long), compressed=False)]
    for order in "<>":
        for code, kind in ((2, "u1"), (4, "i2"), (8, "i4"), (16, "f4"), (64, "f8"), (1280, "u8")):
            stored = np.arange(24).astype(order + kind).tobytes()
            files.append(nifti1(stored, datatype=code, order=order, slope=2, intercept=-1))
            files.append(nifti1(stored, datatype=code, order=order, dim=(4, 2, 3, 4, 1, 1, 1, 1)))
        stored = np.arange(24).astype(order + "f4").tobytes()
        oblique = (1, (0.1, 0.2, 0.3, 10, 20, 30))
        files.append(nifti1(stored, order=order, qform=oblique, sform=(0, (0,) * 12), pixdim=(-1, 1, 2, 3, 0, 0, 0, 0)))
        files.append(nifti1(stored, order=order, vox_offset=384, extension=b"\1\0\0\0" + bytes(32), units=3))
    return files


def mutate(content: bytes, rng: random.Random) -> bytes:
    """One to eight changes, most of them in the header, and in half of the cases gzip around or within."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        _change(data, rng)
    wrapping = rng.randrange(8)
    if wrapping < 4:
        return bytes(data)
    level = rng.choice((0, 1, 9))
    if wrapping == 4:
        cut = rng.randrange(len(data) + 1)
        return gzip.compress(bytes(data[:cut]), level) + gzip.compress(bytes(data[cut:]), level)
    packed = bytearray(gzip.compress(bytes(data), level))
    if wrapping == 5:
        _change(packed, rng)
    if wrapping == 6:
        packed = packed[: rng.randrange(len(packed) + 1)]
    return bytes(packed)


def _change(data: bytearray, rng: random.Random) -> None:
    if not data:
        return
    where = rng.random()
    if where < 0.5:
        at = min(rng.choice(_FIELDS), len(data) - 1)
    else:
        at = rng.randrange(min(len(data), 600)) if where < 0.9 else rng.randrange(len(data))
    kind = rng.randrange(9)
    if kind == 0:
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        data[at] = rng.randrange(256)
    elif kind in (2, 3, 4):
        at -= at % 2
        order, form = rng.choice("<>"), rng.choice("HIQ")
        data[at : at + struct.calcsize(form)] = struct.pack(
            order + form, rng.choice(_WORDS) % 2 ** (8 * struct.calcsize(form))
        )
    elif kind in (5, 6):
        at -= at % 4
        form = rng.choice("<>") + rng.choice("fd")
        data[at : at + struct.calcsize(form)] = struct.pack(form, rng.choice(_FLOATS))
    elif kind == 7:
        del data[at : at + rng.randrange(1, 64)]
    else:
        data[at:at] = rng.randbytes(rng.randrange(1, 64))


def check(content: bytes) -> str:
    """Read one file in every way.

    Returns:
        ``"read"``, or the name of the error that refused it.

    Raises:
        RuleBrokenError: anything else happened; the cause is chained.
    """
    started = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            outcome = _read(content)
    except RuleBrokenError:
        raise
    except Exception as error:
        raise RuleBrokenError(f"{type(error).__name__} escaped: {error}") from error
    seconds = time.process_time() - started
    if seconds > SECONDS_PER_FILE:
        raise RuleBrokenError(f"one file of {len(content)} bytes took {seconds:.1f} s of computing")
    return outcome


def _read(content: bytes) -> str:
    try:
        segmentation = segmentation_from_bytes(content, LIMITS)
    except EigenwarpError:
        pass
    else:
        again = segmentation_from_bytes(segmentation_to_bytes(segmentation), LIMITS)
        _require(np.array_equal(again.data, segmentation.data), "labels changed in the round trip")
    try:
        volume = volume_from_bytes(content, LIMITS)
    except EigenwarpError as error:
        _require(bool(error.detail) and len(error.detail) < 1000, "the refusal names nothing, or too much")
        return type(error).__name__
    _require(volume.data.size <= LIMITS.voxels, "more voxels than the limit")
    _require(bool(np.isfinite(volume.data).all()), "intensities that are not finite")
    again_volume = volume_from_bytes(volume_to_bytes(volume, compressed=False), LIMITS)
    _require(np.array_equal(again_volume.data, volume.data), "intensities changed in the round trip")
    # Float32 of up to 100 m, and of directions over the grid's extent.
    extent = float(np.abs(volume.geometry.to_world([(0, 0, 0), volume.shape])).max())
    _require(again_volume.geometry.matches(volume.geometry, 1e-6 * extent + 1e-3), "the grid moved in the round trip")
    for alignment in Alignment:
        try:
            prepared = PREPROCESSING.prepare(volume, PREPROCESSING.grid_for(volume, alignment))
        except EigenwarpError:
            continue
        _require(bool((prepared >= 0).all() and (prepared <= 1).all()), "prepared intensities outside 0 to 1")
    return "read"


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise RuleBrokenError(rule)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long to go on")
    parser.add_argument("--seed", type=int, default=None, help="of the random mutations; drawn where not given")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    rng, seeds, outcomes = random.Random(seed), seed_files(), Counter[str]()
    baseline = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(f"seed {seed}, {options.seconds:g} seconds\n")
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        content = mutate(rng.choice(seeds), rng)
        try:
            outcomes[check(content)] += 1
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - baseline) * 1024
            _require(grown < MEMORY_BYTES, f"memory grew by {grown} bytes")
        except RuleBrokenError:
            kept = REPOSITORY / "build" / "fuzz" / f"seed-{seed}-file-{outcomes.total()}.nii"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(content)
            sys.stdout.write(f"{traceback.format_exc()}\nkept as {kept.relative_to(REPOSITORY)}\n")
            return 1
    for outcome, count in outcomes.most_common():
        sys.stdout.write(f"{count:9} {outcome}\n")
    sys.stdout.write(f"{outcomes.total():9} files, none broke the rule\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
