"""A few subjects made into a cohort: deformed copies of each, which say that they are copies.

Such a cohort has the anatomy of the few and no more: it teaches a network to register, not what people look like.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from eigenwarp.errors import DataSetError, OptionInvalidError
from eigenwarp.field import DisplacementField, warp_segmentation, warp_volume
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.nifti import write_segmentation, write_volume
from training.data.cohort import Cohort
from training.data.deformation import Deformation
from training.data.respiration import Respiration
from training.data.split import SPLIT_FILE

RECORD = "enlarged.json"


@dataclass(frozen=True)
class Enlargement:
    """How copies are made.

    Args:
        copies: of each subject, for training.
        validation_copies: of each subject, for the choice of the checkpoint.
        diaphragm_mm: largest motion of the diaphragm; 0 for organs that do not breathe.
        chest: largest relative widening of the chest.
        steepness: of the random smooth deformation on top, the largest norm of its gradient; below 1.
        seed: of everything random.

    Raises:
        OptionInvalidError: a value out of range.
    """

    copies: int = 10
    validation_copies: int = 2
    diaphragm_mm: float = 25.0
    chest: float = 0.08
    steepness: float = 0.35
    seed: int = 0

    def __post_init__(self) -> None:
        if self.copies < 1 or self.validation_copies < 1:
            raise OptionInvalidError(
                f"each subject needs at least one copy to train on and one to validate with, got {self.copies} and"
                f" {self.validation_copies}"
            )
        if not (0 <= self.steepness < 1 and 0 <= self.chest < 1 and self.diaphragm_mm >= 0):
            raise OptionInvalidError(
                f"steepness and chest must be from 0 to below 1 and the diaphragm's motion not negative, got"
                f" {self.steepness:g}, {self.chest:g} and {self.diaphragm_mm:g} mm"
            )

    def describe(self, subjects: int) -> str:
        """What a model card has to say of such a cohort."""
        motions = [f"random smooth deformations (steepness {self.steepness:g})"] if self.steepness else []
        if self.diaphragm_mm or self.chest:
            motions.append(
                f"breathing-like ones (diaphragm up to {self.diaphragm_mm:g} mm, chest up to {100 * self.chest:g} %)"
            )
        return (
            f"Trained on {subjects} subjects made into a cohort by {self.copies} deformed copies of each:"
            f" {' and '.join(motions) or 'no deformation at all'}."
            f" The checkpoint was chosen on {self.validation_copies} more copies of each of the same subjects."
            " So the basis shows how the copies were deformed and how these few people differ, not how people do."
        )


def enlarge(cohort: Cohort, out: Path, how: Enlargement) -> Path:
    """Write the subjects and their copies as a data set: ``images/``, ``labels/``, ``split.json``, ``enlarged.json``.

    The originals are trained on too. Whoever wants to measure on a subject must not pass it here.

    Args:
        cohort: segmented subjects.
        out: not there yet, or empty.

    Raises:
        DataSetError: the folder holds something already, or a subject cannot be read.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataSetError(f"{out} is there already and holds something else")
    for part in ("images", "labels"):
        (out / part).mkdir(parents=True)
    groups: dict[str, list[str]] = {"train": [], "validation": []}
    # A stream per subject: another subject more or less changes no copy.
    for index, name in enumerate(cohort.names):
        volume, segmentation = cohort.load(index)
        generator = np.random.default_rng([how.seed, *name.encode()])
        _write(out, name, volume, segmentation)
        groups["train"].append(name)
        for group, count in (("train", how.copies), ("validation", how.validation_copies)):
            for number in range(1, count + 1):
                field = random_copy_field(generator, segmentation, how)
                copy = f"{name}_{group}_{number:02d}"
                _write(out, copy, warp_volume(volume, field), warp_segmentation(segmentation, field, "linear"))
                groups[group].append(copy)
    (out / SPLIT_FILE).write_text(json.dumps(groups, indent=1) + "\n")
    record = {"subjects": list(cohort.names), "how": asdict(how), "card": how.describe(len(cohort))}
    (out / RECORD).write_text(json.dumps(record, indent=1) + "\n")
    return out


def random_copy_field(
    generator: np.random.Generator, segmentation: Segmentation, how: Enlargement
) -> DisplacementField:
    """A copy's pull-back field on its subject's own grid: breathing and a smooth deformation, added.

    Raises:
        DataSetError: an empty segmentation, which says of no lungs where they are.
    """
    geometry = segmentation.geometry
    points = geometry.to_world(geometry.voxel_grid())
    displacement = np.zeros_like(points)
    if how.diaphragm_mm or how.chest:
        if not segmentation.labels:
            raise DataSetError("an empty segmentation does not say where the lungs are")
        lungs = points[segmentation.data > 0]
        displacement += Respiration.random(generator, lungs, how.diaphragm_mm, how.chest).displacement(points)
    if how.steepness:
        corners = geometry.to_world([[0, 0, 0], [n - 1 for n in geometry.shape]])
        extent = np.abs(corners[1] - corners[0]) / 2
        # Mostly gentle, seldom as steep as allowed.
        steepness = how.steepness * generator.uniform(0.2, 1)
        smooth = Deformation.random(generator, extent, steepness=steepness)
        displacement += smooth.displacement(points - geometry.centre)
    return DisplacementField(displacement.astype(np.float32), geometry)


def card_note(data: Path) -> str:
    """What an enlarged data set says of itself; empty for any other.

    Raises:
        DataSetError: its record cannot be read.
    """
    path = data / RECORD
    if not path.is_file():
        return ""
    try:
        card = json.loads(path.read_text())["card"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataSetError(f"{path} is no record of an enlarged cohort: {error}") from error
    return f"{card}\n"


def _write(out: Path, name: str, volume: Volume, segmentation: Segmentation) -> None:
    write_volume(volume, out / "images" / f"{name}.nii.gz")
    write_segmentation(segmentation, out / "labels" / f"{name}.nii.gz")
