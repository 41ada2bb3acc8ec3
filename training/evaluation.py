"""Measured accuracy of a model: each subject onto the next in sorted order, cyclic, on the fixed subject's own grid."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eigenwarp.field import (
    DisplacementField,
    field_from_model,
    folding_share,
    jacobian_determinant,
    sd_log_jacobian,
    warp_segmentation,
)
from eigenwarp.model.registration import Refine, RegistrationModel
from eigenwarp.volume import Segmentation, Volume
from eigenwarp.volume.overlap import dice
from eigenwarp.volume.surface_distance import hausdorff95
from training.data.cohort import Cohort

UNREGISTERED = "unregistered"


@dataclass(frozen=True)
class PairMeasurement:
    """One registered pair.

    Args:
        method: how it was registered.
        moving, fixed: names of the subjects.
        dice: per label, nearest-neighbour labels.
        hd95_mm: 95th percentile of the surface distance, per label.
        folded_share: of voxels with det J ≤ 0.
        sd_log_jacobian: as Learn2Reg defines it.
        seconds: of the registration alone, volumes in memory, codes not cached.
    """

    method: str
    moving: str
    fixed: str
    dice: dict[str, float]
    hd95_mm: dict[str, float]
    folded_share: float
    sd_log_jacobian: float
    seconds: float


@dataclass(frozen=True)
class Summary:
    """Mean ± standard deviation over the pairs; Dice and HD95 averaged over the labels first.

    Args:
        dice_per_label: mean and standard deviation of each label.
    """

    method: str
    pairs: int
    dice: float
    dice_sd: float
    dice_per_label: dict[str, tuple[float, float]]
    hd95_mm: float
    hd95_sd_mm: float
    folded_share: float
    sd_log_jacobian: float
    seconds: float

    def metrics(self) -> dict[str, float]:
        """Flat figures for ``model.json``."""
        flat = {name: float(value) for name, value in vars(self).items() if isinstance(value, int | float)}
        for label, (mean, sd) in self.dice_per_label.items():
            flat |= {f"dice_{label}": mean, f"dice_{label}_sd": sd}
        return flat


def evaluate(
    model: RegistrationModel,
    cohort: Cohort,
    refinements: tuple[Refine, ...] = tuple(Refine),
    *,
    progress: Callable[[PairMeasurement], None] = lambda _: None,
) -> list[PairMeasurement]:
    """Measure a model on every cyclic pair of a cohort, before and after registration.

    Args:
        cohort: subjects with segmentations.
        refinements: what to measure beside the unregistered pairs.
        progress: called with each measurement.
    """
    subjects = [cohort.load(index) for index in range(len(cohort.subjects))]
    measurements = []
    for index, (moving, moving_labels) in enumerate(subjects):
        following = (index + 1) % len(subjects)
        fixed, fixed_labels = subjects[following]
        names = (cohort.names[index], cohort.names[following])
        start = centre_alignment(model, moving, fixed)
        results: list[tuple[str, DisplacementField, float]] = [(UNREGISTERED, start, 0.0)]
        for refine in refinements:
            model.codes.clear()
            started = time.perf_counter()
            field = model.register(moving, fixed, refine=refine).field
            results.append((refine.value, field, time.perf_counter() - started))
        for method, field, seconds in results:
            measured = measure_field(method, names, moving_labels, fixed_labels, field, model.labels, seconds)
            measurements.append(measured)
            progress(measured)
    return measurements


def centre_alignment(model: RegistrationModel, moving: Volume, fixed: Volume) -> DisplacementField:
    """The field of no deformation: both volumes on the model's grid, voxel on voxel."""
    moving_grid, fixed_grid = model.preprocessing.grids_for_pair(moving, fixed)
    return field_from_model(np.zeros((*fixed_grid.shape, 3), np.float32), moving_grid, fixed_grid, fixed.geometry)


def measure_field(
    method: str,
    names: tuple[str, str],
    moving: Segmentation,
    fixed: Segmentation,
    field: DisplacementField,
    labels: dict[str, int],
    seconds: float,
) -> PairMeasurement:
    """Measure one field by the labels it brings onto the fixed subject's grid."""
    warped = warp_segmentation(moving, field)
    overlaps = dice(warped, fixed, labels.values())
    distances = hausdorff95(warped, fixed, labels.values())
    jacobian = jacobian_determinant(field)
    return PairMeasurement(
        method=method,
        moving=names[0],
        fixed=names[1],
        dice={name: overlaps[label] for name, label in labels.items()},
        hd95_mm={name: distances[label] for name, label in labels.items()},
        folded_share=folding_share(jacobian),
        sd_log_jacobian=sd_log_jacobian(jacobian),
        seconds=seconds,
    )


def summarise(measurements: list[PairMeasurement]) -> list[Summary]:
    """One row per method, in the order they were measured."""
    methods = dict.fromkeys(m.method for m in measurements)
    return [_summary(method, [m for m in measurements if m.method == method]) for method in methods]


def _summary(method: str, rows: list[PairMeasurement]) -> Summary:
    overlap = np.array([np.mean(list(row.dice.values())) for row in rows])
    distance = np.array([np.mean(list(row.hd95_mm.values())) for row in rows])
    per_label = {}
    for label in rows[0].dice:
        values = np.array([row.dice[label] for row in rows])
        per_label[label] = (float(values.mean()), float(values.std()))
    return Summary(
        method=method,
        pairs=len(rows),
        dice=float(overlap.mean()),
        dice_sd=float(overlap.std()),
        dice_per_label=per_label,
        hd95_mm=float(distance.mean()),
        hd95_sd_mm=float(distance.std()),
        folded_share=float(np.mean([row.folded_share for row in rows])),
        sd_log_jacobian=float(np.mean([row.sd_log_jacobian for row in rows])),
        seconds=float(np.median([row.seconds for row in rows])),
    )
