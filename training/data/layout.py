"""The folder layouts in which data sets are handed around, read into one list of subjects."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, ValidationError

from eigenwarp.errors import DataSetError

NIFTI_SUFFIXES = (".nii.gz", ".nii")
LABELS_FOLDER = "labels"


@dataclass(frozen=True)
class Subject:
    """One subject's files.

    Args:
        name: the file name without its NIfTI suffix; unique in a cohort.
        image: the scalar image.
        segmentation: its labels on the same grid, None where the data set has none.
    """

    name: str
    image: Path
    segmentation: Path | None


class _DecathlonCase(BaseModel):
    image: str
    label: str


class _DecathlonIndex(BaseModel):
    """The part of a Decathlon task's ``dataset.json`` that is used here."""

    training: list[_DecathlonCase]
    test: list[str] = []


def subject_name(path: Path) -> str | None:
    """The subject that a NIfTI file belongs to, None for any other file (and for macOS's ``._`` companions)."""
    if path.name.startswith("."):
        return None
    return next((path.name.removesuffix(suffix) for suffix in NIFTI_SUFFIXES if path.name.endswith(suffix)), None)


def folder_subjects(root: Path, labels_folder: str = LABELS_FOLDER) -> tuple[Subject, ...]:
    """Subjects of a folder with ``images/`` and, where the cohort is segmented, labels of the same file names.

    Args:
        labels_folder: beside ``images/``.

    Raises:
        DataSetError: no images, an image without its label or a label without its image.
    """
    images = _nifti_files(root / "images")
    if not images:
        raise DataSetError(f"no .nii or .nii.gz file in {root / 'images'}")
    folder = root / labels_folder
    if not folder.is_dir():
        if labels_folder != LABELS_FOLDER:
            raise DataSetError(f"{folder} is not a folder")
        return tuple(Subject(name, path, None) for name, path in sorted(images.items()))
    labels = _nifti_files(folder)
    _refuse_unpaired(sorted(images.keys() - labels.keys()), "have no segmentation", folder)
    _refuse_unpaired(sorted(labels.keys() - images.keys()), "have a segmentation but no image", root / "images")
    return tuple(Subject(name, path, labels[name]) for name, path in sorted(images.items()))


def decathlon_subjects(root: Path) -> dict[str, tuple[Subject, ...]]:
    """The ``training`` (segmented) and ``test`` (unsegmented) subjects of a Medical Segmentation Decathlon task.

    Raises:
        DataSetError: ``dataset.json`` cannot be read, or names a file that is missing or outside the folder.
    """
    index_path = root / "dataset.json"
    try:
        index = _DecathlonIndex.model_validate_json(index_path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DataSetError(f"{index_path} is not a Decathlon index: {where}: {first['msg']}") from error
    training = [
        Subject(_indexed_name(root, case.image), _indexed_file(root, case.image), _indexed_file(root, case.label))
        for case in index.training
    ]
    # The test images are named by the index even where only the training part was unpacked.
    test = [
        Subject(_indexed_name(root, image), _indexed_file(root, image), None)
        for image in index.test
        if (root / "imagesTs").is_dir()
    ]
    subjects = {"training": _in_order(training, index_path), "test": _in_order(test, index_path)}
    if not training:
        raise DataSetError(f"{index_path} names no training subject")
    return subjects


def _nifti_files(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = subject_name(path)
        if name is None:
            continue
        if name in files:
            raise DataSetError(f"subject {name!r} is there twice: {files[name].name} and {path.name} in {folder}")
        files[name] = path
    return files


def _refuse_unpaired(names: list[str], defect: str, folder: Path) -> None:
    if names:
        shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        raise DataSetError(f"{len(names)} subjects {defect} in {folder}: {shown}")


def _indexed_name(root: Path, entry: str) -> str:
    name = subject_name(Path(entry))
    if name is None:
        raise DataSetError(f"{root / 'dataset.json'} names {entry!r}, which is not a .nii or .nii.gz file")
    return name


def _indexed_file(root: Path, entry: str) -> Path:
    path = root / entry
    if not path.resolve().is_relative_to(root.resolve()):
        raise DataSetError(f"{root / 'dataset.json'} names {entry!r}, which lies outside the data set's folder")
    if not path.is_file():
        raise DataSetError(f"{root / 'dataset.json'} names {entry!r}, which is missing")
    return path


def _in_order(subjects: list[Subject], index_path: Path) -> tuple[Subject, ...]:
    ordered = sorted(subjects, key=lambda subject: subject.name)
    for first, second in pairwise(ordered):
        if first.name == second.name:
            raise DataSetError(f"{index_path} names subject {first.name!r} twice")
    return tuple(ordered)
