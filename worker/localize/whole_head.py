"""Whole heads through a model that knows a crop: cropped, computed, and brought back onto the head's own grid."""

from dataclasses import dataclass, replace

import numpy as np

from eigenwarp.errors import EigenwarpError
from eigenwarp.model.registration import Refine, RegistrationModel
from eigenwarp.model.stages import OnStage, part_of, unwatched
from eigenwarp.preprocess import Alignment
from eigenwarp.schemas.localization import Localize, LocalizePair
from eigenwarp.schemas.projection import Projection
from eigenwarp.volume import Geometry, Segmentation, Volume
from worker.localize.locate import Located, locate
from worker.projection import project_volume
from worker.registration import RegistrationOutputs, register_volumes, require_own_grid

# Share of the time that finding the structure in both heads takes.
_LOCATED = 0.6


@dataclass(frozen=True, eq=False)
class _Part:
    """What the model sees of one side of a registration."""

    image: Volume
    segmentation: Segmentation | None
    located: Located | None


def register_whole_heads(
    model: RegistrationModel,
    moving: Volume,
    fixed: Volume,
    localize: LocalizePair,
    *,
    moving_segmentation: Segmentation | None = None,
    fixed_segmentation: Segmentation | None = None,
    refine: Refine = Refine.NONE,
    alignment: Alignment = Alignment.CENTER,
    components: int | None = None,
    on_stage: OnStage = unwatched,
) -> RegistrationOutputs:
    """As ``register_volumes``, on the crops around a structure.

    Fields, warped image and Jacobian lie on the crops' grids: a field in world mm holds for the whole head as it is,
    inside the crop. The warped segmentation lies on the whole fixed image's grid.

    Args:
        localize: what to find, and in which of the volumes.

    Raises:
        LocalizeUnavailableError: the extra ``localize`` is not installed.
        StructureNotLocatedError: in one of the volumes, which is named.
        EigenwarpError: as ``register_volumes``.
    """
    require_own_grid("moving", moving_segmentation, moving)
    require_own_grid("fixed", fixed_segmentation, fixed)
    on_stage("locate", 0.0)
    moved = _part("moving", moving, moving_segmentation, localize)
    on_stage("locate", _LOCATED / 2)
    still = _part("fixed", fixed, fixed_segmentation, localize)
    outputs = register_volumes(
        model,
        moved.image,
        still.image,
        moving_segmentation=moved.segmentation,
        fixed_segmentation=still.segmentation,
        refine=refine,
        alignment=alignment,
        components=components,
        on_stage=part_of(on_stage, _LOCATED, 1),
    )
    labels = outputs.warped_segmentation
    if labels is not None and still.located is not None:
        labels = on_whole_grid(labels, still.located, fixed.geometry)
    notices = [
        notice
        for name, part in (("moving", moved), ("fixed", still))
        if part.located is not None
        for notice in part.located.notices(name)
    ]
    report = outputs.report.model_copy(
        update={
            "moving_localization": None if moved.located is None else moved.located.described(),
            "fixed_localization": None if still.located is None else still.located.described(),
            "warnings": [*notices, *outputs.report.warnings],
        }
    )
    return replace(outputs, warped_segmentation=labels, report=report)


def project_whole_head(
    model: RegistrationModel, volume: Volume, localize: Localize, alignment: Alignment = Alignment.CENTER
) -> Projection:
    """As ``project_volume``, of the crop around a structure.

    Raises:
        LocalizeUnavailableError, StructureNotLocatedError: as ``locate``.
        EigenwarpError: as ``project_volume``.
    """
    located = locate(volume, localize.structure, localize.side)
    projection = project_volume(model, cropped(volume, located), alignment)
    return projection.model_copy(
        update={
            "localization": located.described(),
            "warnings": [*located.notices("volume"), *projection.warnings],
        }
    )


def cropped(image: Volume, located: Located) -> Volume:
    """The box's voxels, as they are."""
    return Volume(np.ascontiguousarray(image.data[_box(located)]), located.geometry)


def on_whole_grid(labels: Segmentation, located: Located, whole: Geometry) -> Segmentation:
    """Labels of a box on the grid of the image that it was cropped from; background outside."""
    data = np.zeros(whole.shape, dtype=np.uint16)
    data[_box(located)] = labels.data
    return Segmentation(data, whole)


def _part(name: str, image: Volume, segmentation: Segmentation | None, localize: LocalizePair) -> _Part:
    if localize.volumes not in ("both", name):
        return _Part(image, segmentation, None)
    try:
        located = locate(image, localize.structure, localize.side)
    except EigenwarpError as error:
        raise type(error)(f"{name}: {error.detail}") from None
    labels = None
    if segmentation is not None:
        labels = Segmentation(np.ascontiguousarray(segmentation.data[_box(located)]), located.geometry)
    return _Part(cropped(image, located), labels, located)


def _box(located: Located) -> tuple[slice, slice, slice]:
    x, y, z = (
        slice(start, start + length) for start, length in zip(located.offset, located.geometry.shape, strict=True)
    )
    return x, y, z
