"""The hippocampus data set from its publishers.

Medical Segmentation Decathlon, Task 04 (Antonelli et al., Nature Communications 2022; Simpson et al., arXiv
1902.09063), CC BY-SA 4.0: T1 MR cropped around one hippocampus, 260 segmented subjects.
"""

import os
import shutil
from importlib.resources import files
from pathlib import Path

from eigenwarp.errors import DataSetError
from training.data.cohort import open_cohort
from training.data.fetch import Progress, fetch
from training.data.split import SPLIT_FILE, read_split
from training.data.unpack import unpack_task

HIPPOCAMPUS_URL = "https://msd-for-monai.s3-us-west-2.amazonaws.com/Task04_Hippocampus.tar"
HIPPOCAMPUS_MD5 = "9d24dba78a72977dbd1d2e110310f31b"

_TASK = "Task04_Hippocampus"
_ARCHIVE_BYTES_MAX = 64 * 1024**2


def get_hippocampus(
    destination: Path,
    source_url: str = HIPPOCAMPUS_URL,
    *,
    md5: str = HIPPOCAMPUS_MD5,
    progress: Progress | None = None,
) -> Path:
    """Download, check and unpack the data set, and lay this project's split beside it.

    An interrupted download leaves ``<destination>.tar.part``, from which the next call goes on. The folder appears
    whole or not at all, in the publishers' layout, which :func:`training.data.cohort.open_cohort` reads. Where it is
    there already, nothing is fetched.

    Args:
        destination: the data set's folder, not there yet or empty.
        source_url: the archive's address.
        md5: the archive's checksum.
        progress: told the bytes so far and in all.

    Returns:
        The folder, as an absolute path.

    Raises:
        DataSetError: the destination is in the way, the archive cannot be had, is altered, or lacks subjects.
    """
    destination = destination.resolve()
    if (destination / SPLIT_FILE).is_file():
        _check(destination)
        return destination
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise DataSetError(f"{destination} is there already and holds something else")
    destination.parent.mkdir(parents=True, exist_ok=True)
    archive = destination.with_name(destination.name + ".tar")
    fetch(source_url, archive, md5=md5, size_limit=_ARCHIVE_BYTES_MAX, progress=progress)
    # In the same folder, so that the last step is one rename.
    staging = destination.with_name(f".{destination.name}.{os.getpid()}")
    staging.mkdir()
    try:
        unpack_task(archive, _TASK, staging)
        split = files("training.data").joinpath("splits", "hippocampus.json").read_bytes()
        (staging / SPLIT_FILE).write_bytes(split)
        _check(staging)
        staging.replace(destination)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        archive.unlink(missing_ok=True)
    return destination


def _check(folder: Path) -> None:
    """Every group of the split names subjects that are there."""
    for group in read_split(folder / SPLIT_FILE):
        open_cohort(folder, group)
