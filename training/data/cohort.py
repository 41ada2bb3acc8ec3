"""A cohort: the subjects of a data set that one step of the work is about."""

from dataclasses import dataclass
from pathlib import Path

from eigenwarp.errors import DataSetError, EigenwarpError
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.nifti import read_segmentation, read_volume
from training.data.layout import LABELS_FOLDER, Subject, decathlon_subjects, folder_subjects
from training.data.split import SPLIT_FILE, members, read_split

__all__ = ["Cohort", "Subject", "open_cohort"]


@dataclass(frozen=True)
class Cohort:
    """Subjects in the sorted order of their names; files are read when asked for."""

    subjects: tuple[Subject, ...]

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(subject.name for subject in self.subjects)

    def load_volume(self, index: int) -> Volume:
        """One subject's image.

        Raises:
            DataSetError: the file cannot be read as a volume; the subject is named, the cause is chained.
        """
        subject = self.subjects[index]
        try:
            return read_volume(subject.image)
        except (EigenwarpError, OSError) as error:
            raise DataSetError(f"subject {subject.name!r}: {error}") from error

    def load(self, index: int) -> tuple[Volume, Segmentation]:
        """One subject's image and segmentation, both (X, Y, Z) on the same grid.

        Raises:
            DataSetError: no segmentation, one on another grid, or a file that cannot be read; the subject is named.
        """
        subject = self.subjects[index]
        if subject.segmentation is None:
            raise DataSetError(f"subject {subject.name!r} has no segmentation")
        volume = self.load_volume(index)
        try:
            segmentation = read_segmentation(subject.segmentation)
            segmentation.require_grid_of(volume)
        except (EigenwarpError, OSError) as error:
            raise DataSetError(f"subject {subject.name!r}: {error}") from error
        return volume, segmentation


def open_cohort(root: Path, split: str | None = None, *, labels: str = LABELS_FOLDER) -> Cohort:
    """Find the subjects of a data set on disk.

    Three layouts are understood: ``images/`` and ``labels/`` with a ``split.json``, the same without one, and a task of
    the Medical Segmentation Decathlon (``dataset.json``, ``imagesTr/``, ``labelsTr/``), with or without ``split.json``.

    Args:
        root: the data set's folder.
        split: the group of ``split.json`` to take, such as ``"train"`` or ``"validation"``; for a Decathlon task
            without that file, its own ``"training"`` or ``"test"``. None: every subject (of a Decathlon task, every
            training subject, those being the segmented ones).
        labels: name of the folder of segmentations beside ``images/``.

    Raises:
        DataSetError: not such a folder, or one that contradicts itself; the file or subject at fault is named.
    """
    if not root.is_dir():
        raise DataSetError(f"{root} is not a folder")
    groups: dict[str, tuple[Subject, ...]] = {}
    if (root / "dataset.json").is_file():
        groups = decathlon_subjects(root)
        subjects = groups["training"]
    elif (root / "images").is_dir():
        subjects = folder_subjects(root, labels)
    else:
        raise DataSetError(f"{root} holds neither an images folder nor a Decathlon dataset.json")
    if split is None:
        return Cohort(subjects)
    split_path = root / SPLIT_FILE
    if split_path.is_file():
        wanted = members(read_split(split_path), split, {subject.name for subject in subjects}, split_path)
        by_name = {subject.name: subject for subject in subjects}
        return Cohort(tuple(by_name[name] for name in wanted))
    if groups.get(split):
        return Cohort(groups[split])
    raise DataSetError(f"the group {split!r} was asked for, but there is no {split_path}")
