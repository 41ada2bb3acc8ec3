"""A volume and its segmentation moved along one component."""

from dataclasses import dataclass

from eigenwarp.field import DisplacementField, field_from_model, warp_segmentation, warp_volume
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.preprocess import Alignment
from eigenwarp.schemas.choices import ScaleUnit
from eigenwarp.volume import Segmentation, Volume
from worker.components import component_displacement


@dataclass(frozen=True, eq=False)
class Moved:
    """What moving a volume along a component gives, all of it on the volume's own grid.

    Args:
        field: the elementary deformation, laid over the volume.
        warped: the volume under it.
        warped_segmentation: its segmentation under it, where there is one.
    """

    field: DisplacementField
    warped: Volume
    warped_segmentation: Segmentation | None


def move_along_component(
    model: RegistrationModel,
    volume: Volume,
    segmentation: Segmentation | None,
    component: int,
    scale: float,
    unit: ScaleUnit = "sd",
    alignment: Alignment = Alignment.CENTER,
) -> Moved:
    """W(D(λ u_k), volume), as the paper's figures 2 and 3 move a segmentation; the same field as ``component_field``.

    Args:
        segmentation: on the volume's grid.
        component, scale, unit: as ``component_field``.
        alignment: how the model's grid is laid over the volume; ``world`` has nothing to go by and is ``center``.

    Raises:
        SegmentationGeometryError: the segmentation lies on another grid.
        EigenwarpError: as ``component_field``.
    """
    if segmentation is not None:
        segmentation.require_grid_of(volume)
    grid = model.preprocessing.grid_for(volume, alignment)
    displacement = component_displacement(model, component, scale, unit)
    field = field_from_model(displacement, grid, grid, volume.geometry)
    return Moved(
        field=field,
        warped=warp_volume(volume, field),
        warped_segmentation=None if segmentation is None else warp_segmentation(segmentation, field),
    )
