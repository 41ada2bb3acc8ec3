"""One registration with everything that is handed out with it."""

from dataclasses import dataclass, replace

import numpy as np

from eigenwarp.errors import SegmentationGeometryError
from eigenwarp.field import (
    DisplacementField,
    InverseConsistency,
    field_from_model,
    inverse_consistency,
    jacobian_determinant,
    warp_segmentation,
    warp_volume,
)
from eigenwarp.model.registration import Refine, Registration, RegistrationModel
from eigenwarp.model.stages import OnStage, Stages, part_of, unwatched
from eigenwarp.preprocess import Alignment, Preprocessing
from eigenwarp.schemas.report import Report
from eigenwarp.volume import Segmentation, Volume
from worker.pair import Pair
from worker.report import Measured, make_report

# The share of the time after which field and inverse field are found.
_FOUND = 0.85


@dataclass(frozen=True, eq=False)
class RegistrationOutputs:
    """What registering ``moving`` onto ``fixed`` gives.

    Args:
        field: fixed → moving, on the fixed grid, the whole transform.
        inverse_field: moving → fixed, on the moving grid.
        initial_field: the initial alignment alone, on the fixed grid; what ``field`` adds to it is the deformation.
        warped: the moving image on the fixed grid.
        warped_segmentation: the moving labels there: those given, else those predicted, None without either.
        jacobian: determinant of the transform on the fixed grid.
        report: what ``report.json`` holds.
        registration: the model's own result, codes included.
        pair: what was registered, with the labels that were given or predicted.
    """

    field: DisplacementField
    inverse_field: DisplacementField
    initial_field: DisplacementField
    warped: Volume
    warped_segmentation: Segmentation | None
    jacobian: Volume
    report: Report
    registration: Registration
    pair: Pair


def register_volumes(
    model: RegistrationModel,
    moving: Volume,
    fixed: Volume,
    *,
    moving_segmentation: Segmentation | None = None,
    fixed_segmentation: Segmentation | None = None,
    refine: Refine = Refine.NONE,
    alignment: Alignment = Alignment.CENTER,
    components: int | None = None,
    on_stage: OnStage = unwatched,
) -> RegistrationOutputs:
    """Register, warp, measure and report. The given segmentations are measured with, never registered with.

    Args:
        moving_segmentation, fixed_segmentation: on the grids of their images.
        refine, alignment, components: as ``RegistrationModel.register``.
        on_stage: told how far this is.

    Raises:
        SegmentationGeometryError: a segmentation on another grid than its image; it is named.
        EigenwarpError: as ``RegistrationModel.register``.
    """
    require_own_grid("moving", moving_segmentation, moving)
    require_own_grid("fixed", fixed_segmentation, fixed)
    found = model.register(
        moving,
        fixed,
        refine=refine,
        alignment=alignment,
        components=components,
        on_stage=part_of(on_stage, 0, _FOUND),
    )
    stages = Stages({"warp": 1, "measure": 3}, part_of(on_stage, _FOUND, 1))
    stages.begin("warp")
    pair = Pair(
        moving,
        fixed,
        moving_segmentation or found.predicted_moving,
        fixed_segmentation or found.predicted_fixed,
        moving_given=moving_segmentation is not None,
        fixed_given=fixed_segmentation is not None,
    )
    initial = initial_field(model.preprocessing, moving, fixed, alignment)
    warped = warp_volume(moving, found.field)
    warped_labels = None if pair.moving_labels is None else warp_segmentation(pair.moving_labels, found.field)
    jacobian = jacobian_determinant(found.field)
    stages.begin("measure")
    report = make_report(
        model,
        pair,
        found,
        Measured(initial, warped, warped_labels, jacobian, consistency=_consistency(found)),
        refine=refine,
        alignment=alignment,
        components=components,
    )
    stages.end()
    rounded = {stage: round(seconds, 4) for stage, seconds in {**found.timings, **stages.seconds}.items()}
    return RegistrationOutputs(
        field=found.field,
        inverse_field=found.inverse_field,
        initial_field=initial,
        warped=warped,
        warped_segmentation=warped_labels,
        jacobian=Volume(jacobian, fixed.geometry),
        report=report.model_copy(update={"timings_s": rounded}),
        registration=replace(found, timings=rounded),
        pair=pair,
    )


def initial_field(
    preprocessing: Preprocessing, moving: Volume, fixed: Volume, alignment: Alignment = Alignment.CENTER
) -> DisplacementField:
    """The transform before any deformation: the model's grid over one image laid on that over the other."""
    moving_grid, fixed_grid = preprocessing.grids_for_pair(moving, fixed, alignment)
    nothing = np.zeros((*fixed_grid.shape, 3), dtype=np.float32)
    return field_from_model(nothing, moving_grid, fixed_grid, fixed.geometry)


def _consistency(found: Registration) -> InverseConsistency:
    return inverse_consistency(found.field, found.inverse_field)


def require_own_grid(side: str, segmentation: Segmentation | None, volume: Volume) -> None:
    """Refuse a segmentation on another grid than its image.

    Raises:
        SegmentationGeometryError: with the side's name before it.
    """
    if segmentation is None:
        return
    try:
        segmentation.require_grid_of(volume)
    except SegmentationGeometryError as error:
        raise SegmentationGeometryError(f"{side}: {error.detail}") from None
