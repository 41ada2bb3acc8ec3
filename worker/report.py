"""What is measured of a registration, as the report that goes with it."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field import (
    DisplacementField,
    InverseConsistency,
    folding_share,
    sd_log_jacobian,
    warp_segmentation,
    warp_volume,
)
from eigenwarp.model.registration import Refine, Registration, RegistrationModel
from eigenwarp.preprocess import Alignment
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.report import (
    Coefficients,
    Grid,
    InverseConsistencyReport,
    Jacobian,
    LabelReport,
    Labels,
    Options,
    Report,
    Similarity,
)
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.correlation import normalised_correlation
from eigenwarp.volume.overlap import dice, label_volumes
from worker.explanation import explain
from worker.notices import domain_notices, field_notices, geometry_notices, own_notices
from worker.pair import Pair
from worker.projection import describe_domain


@dataclass(frozen=True, eq=False)
class Measured:
    """What was computed from a registration's field, all of it on the fixed grid.

    Args:
        initial: the initial alignment alone.
        warped, warped_labels: the moving image and its labels under the field.
        jacobian: determinants, (X, Y, Z).
        consistency: of field and inverse field.
    """

    initial: DisplacementField
    warped: Volume
    warped_labels: Segmentation | None
    jacobian: npt.NDArray[np.float32]
    consistency: InverseConsistency


def make_report(
    model: RegistrationModel,
    pair: Pair,
    found: Registration,
    measured: Measured,
    *,
    refine: Refine,
    alignment: Alignment,
    components: int | None,
) -> Report:
    """Everything that ``report.json`` holds."""
    basis = model.bundle.basis
    domains = None if basis is None else [describe_domain(basis, c) for c in (found.moving_code, found.fixed_code)]
    warnings = [
        *own_notices(found.warnings),
        *geometry_notices("moving", pair.moving, model.preprocessing),
        *geometry_notices("fixed", pair.fixed, model.preprocessing),
        *field_notices(found.field, measured.initial, measured.jacobian, measured.consistency, model.preprocessing),
    ]
    if basis is not None and domains is not None:
        for side, domain in zip(("moving", "fixed"), domains, strict=True):
            warnings += domain_notices(side, domain, basis)
    return Report(
        model=reference(model),
        options=Options(refine=refine.value, alignment=alignment.value, components=components),
        moving=_grid(pair.moving.geometry),
        fixed=_grid(pair.fixed.geometry),
        similarity=_similarity(pair, found.field, measured),
        labels=_labels(model, pair, measured),
        jacobian=_jacobian(measured.jacobian),
        inverse_consistency=InverseConsistencyReport(
            mean_mm=measured.consistency.mean_mm,
            p95_mm=measured.consistency.p95_mm,
            max_mm=measured.consistency.max_mm,
            inside_share=measured.consistency.inside_share,
        ),
        coefficients=_coefficients(model, found),
        explanation=explain(model, pair, found, alignment=alignment, components=components),
        moving_domain=None if domains is None else domains[0],
        fixed_domain=None if domains is None else domains[1],
        warnings=warnings,
        timings_s=found.timings,
    )


def reference(model: RegistrationModel) -> ModelReference:
    """The model's name and version."""
    return ModelReference(name=model.bundle.name, version=model.bundle.version)


def _grid(geometry: Geometry) -> Grid:
    return Grid(shape=geometry.shape, spacing_mm=geometry.spacing, orientation=geometry.orientation)


def _similarity(pair: Pair, field: DisplacementField, measured: Measured) -> Similarity:
    """Over the voxels that the moving image covers both before and after, so that both figures mean the same."""
    everywhere = Volume(np.ones(pair.moving.shape, dtype=np.float32), pair.moving.geometry)
    covered = np.asarray(
        (warp_volume(everywhere, field).data > 0) & (warp_volume(everywhere, measured.initial).data > 0)
    )
    before = normalised_correlation(warp_volume(pair.moving, measured.initial), pair.fixed, covered)
    after = normalised_correlation(measured.warped, pair.fixed, covered)
    return Similarity(before=_number(before), after=_number(after), voxel_share=float(covered.mean()))


def _labels(model: RegistrationModel, pair: Pair, measured: Measured) -> Labels:
    labels = pair.labels
    names = {label: name for name, label in model.labels.items()}
    before: dict[int, float] = {}
    after: dict[int, float] = {}
    moving, fixed, warped = pair.moving_labels, pair.fixed_labels, measured.warped_labels
    if moving is not None and fixed is not None and warped is not None and pair.moving_given and pair.fixed_given:
        before = dice(warp_segmentation(moving, measured.initial), fixed, labels)
        after = dice(warped, fixed, labels)
    of_moving = {} if moving is None else label_volumes(moving, labels)
    of_fixed = {} if fixed is None else label_volumes(fixed, labels)

    def volume_pair(label: int) -> tuple[float | None, float | None]:
        return of_moving.get(label), of_fixed.get(label)

    return Labels(
        moving_source=pair.moving_source,
        fixed_source=pair.fixed_source,
        rows=[
            _label_row(label, names.get(label), before.get(label), after.get(label), volume_pair(label))
            for label in labels
        ],
        mean_dice_before=_mean(before),
        mean_dice_after=_mean(after),
    )


def _label_row(
    label: int,
    name: str | None,
    dice_before: float | None,
    dice_after: float | None,
    volumes_mm3: tuple[float | None, float | None],
) -> LabelReport:
    moving_mm3, fixed_mm3 = volumes_mm3
    change = None if moving_mm3 is None or fixed_mm3 is None else fixed_mm3 - moving_mm3
    return LabelReport(
        label=label,
        name=name,
        dice_before=_number(dice_before),
        dice_after=_number(dice_after),
        moving_mm3=moving_mm3,
        fixed_mm3=fixed_mm3,
        change_mm3=change,
        change_percent=100 * change / moving_mm3 if change is not None and moving_mm3 else None,
    )


def _jacobian(determinant: npt.NDArray[np.float32]) -> Jacobian:
    try:
        spread: float | None = sd_log_jacobian(determinant)
    except FieldInvalidError:
        # Too thin a grid for Learn2Reg's border of two voxels.
        spread = None
    return Jacobian(
        minimum=float(determinant.min()),
        maximum=float(determinant.max()),
        folding_share=folding_share(determinant),
        sd_log=spread,
    )


def _coefficients(model: RegistrationModel, found: Registration) -> Coefficients | None:
    if model.bundle.basis is None:
        return None
    moving, fixed = model.basis.project(found.moving_code), model.basis.project(found.fixed_code)
    return Coefficients(moving=moving.tolist(), fixed=fixed.tolist(), difference=(moving - fixed).tolist())


def _mean(scores: dict[int, float]) -> float | None:
    known = [score for score in scores.values() if not math.isnan(score)]
    return float(np.mean(known)) if known else None


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
