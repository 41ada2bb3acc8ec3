"""The expected members of a Decathlon archive, and nothing else, out of a tar file."""

import re
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from eigenwarp.errors import DataSetError

_MEMBER = re.compile(r"dataset\.json|(imagesTr|imagesTs|labelsTr)/[A-Za-z0-9]+_[0-9]+\.nii\.gz")
_MEMBER_BYTES_MAX = 16 * 1024**2
_TOTAL_BYTES_MAX = 512 * 1024**2
_MEMBERS_MAX = 4000


def unpack_task(archive: Path, task: str, into: Path) -> None:
    """Unpack a Medical Segmentation Decathlon task into an existing, empty folder.

    A member is written under a name that matches what a task consists of: a name with ``..``, an absolute one, a link
    or a device never reaches the disk. Hidden files (macOS leaves ``._`` companions) are passed over.

    Args:
        archive: a tar file, compressed or not.
        task: the archive's top folder, such as ``Task04_Hippocampus``.
        into: receives ``dataset.json``, ``imagesTr/``, ``imagesTs/`` and ``labelsTr/``.

    Raises:
        DataSetError: not a tar file, cut short, too large, or with a member that does not belong.
    """
    total = count = 0
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                count += 1
                name = _relative_name(member, task)
                if name is None:
                    continue
                total += member.size
                if member.size > _MEMBER_BYTES_MAX or total > _TOTAL_BYTES_MAX or count > _MEMBERS_MAX:
                    raise DataSetError(f"{archive.name} is larger than a task can be, at {member.name!r}")
                _write(tar, member, into / name, archive)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataSetError(f"{archive.name} cannot be unpacked: {error}") from error


def _relative_name(member: tarfile.TarInfo, task: str) -> str | None:
    """The member's place in the task's folder; None for what is passed over."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise DataSetError(f"the archive names {member.name!r}, which lies outside its folder")
    if member.isdir() or path.name.startswith("."):
        return None
    if path.parts[0] != task or not _MEMBER.fullmatch(name := "/".join(path.parts[1:])):
        raise DataSetError(f"the archive holds {member.name!r}, which does not belong to {task}")
    if not member.isreg():
        raise DataSetError(f"the archive holds {member.name!r}, which is not a plain file")
    return name


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, archive: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise DataSetError(f"the archive holds {member.name!r}, which is not a plain file")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source, target.open("xb") as file:
            shutil.copyfileobj(source, file)
    except FileExistsError as error:
        raise DataSetError(f"the archive holds {member.name!r} twice") from error
    if target.stat().st_size != member.size:
        raise DataSetError(f"{archive.name} is cut short in {member.name!r}")
