"""What can be known to be wrong with a job before a worker takes it: all that needs no voxels and no network."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eigenwarp.errors import ComponentOutOfRangeError, EigenwarpError, SegmentationGeometryError
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.requests import JobRequest, NothingRequest, ProjectRequest, RegisterRequest
from eigenwarp.schemas.volumes import VolumeKind, VolumeRow
from eigenwarp.volume import Geometry
from service.intake import CheckedFile
from service.refusals import RequestInvalidError
from service.resources import Resources

GRID_TOLERANCE_MM = 0.01
_IMAGE_OF = {
    "moving_segmentation": "moving",
    "fixed_segmentation": "fixed",
    "segmentation": "volume",
}


@dataclass(frozen=True, eq=False)
class Grid:
    """A volume's kind and where it lies."""

    kind: VolumeKind
    geometry: Geometry

    @classmethod
    def of_row(cls, row: VolumeRow) -> "Grid":
        """Of one that is in the stores."""
        return cls(row.kind, Geometry(row.shape, np.array(row.affine)))

    @classmethod
    def of_file(cls, file: CheckedFile) -> "Grid":
        """Of one that has just come."""
        return cls(file.kind, file.canonical.geometry)


def admit(resources: Resources, request: JobRequest) -> ModelReference | None:
    """Pin the request's model and hold the request against it.

    Raises:
        ModelUnknownError: no such model.
        ComponentOutOfRangeError: a component, or more of them, than the model's basis has.
        StoreUnavailableError: the object store does not answer.
    """
    if isinstance(request, NothingRequest):
        return None
    model = resources.models.resolve(request.model or resources.settings.default_model)
    if isinstance(request, RegisterRequest) and request.options.components is None:
        return model
    count = len(resources.models.components(model).rows)
    spelled = f"model {model.name}@{model.version} has {count or 'no'} components"
    if isinstance(request, RegisterRequest):
        if request.options.components is not None and request.options.components > count:
            raise ComponentOutOfRangeError(f"options.components is {request.options.components}: {spelled}")
    elif isinstance(request, ProjectRequest):
        if count == 0:
            raise ComponentOutOfRangeError(f"nothing to project onto: {spelled}")
    elif request.kind == "reconstruct":
        if len(request.coefficients) > count:
            raise ComponentOutOfRangeError(f"{len(request.coefficients)} coefficients: {spelled}")
    elif request.component > count:
        raise ComponentOutOfRangeError(f"component {request.component}: {spelled}")
    return model


def require_fitting(grids: Mapping[str, Grid], kinds: Mapping[str, VolumeKind]) -> None:
    """Each volume is what its place in the request wants, and each segmentation lies on its image's grid.

    Args:
        grids: by the part of the request.
        kinds: that the parts want.

    Raises:
        RequestInvalidError: an image in place of a segmentation, or the other way round.
        SegmentationGeometryError: a segmentation elsewhere; both grids are told.
    """
    for name, grid in grids.items():
        if grid.kind != kinds[name]:
            raise RequestInvalidError.at(f"body.{name}", f"{kinds[name]} wanted, the volume is of kind {grid.kind}")
    for name, image in _IMAGE_OF.items():
        if name in grids and image in grids:
            _require_grid(name, grids[name].geometry, grids[image].geometry)


def named(error: EigenwarpError, part: str) -> EigenwarpError:
    """The same error, saying which part of the request it is about."""
    return type(error)(f"{part}: {error.detail}")


def _require_grid(name: str, segmentation: Geometry, image: Geometry) -> None:
    if not segmentation.matches(image, tolerance_mm=GRID_TOLERANCE_MM):
        raise SegmentationGeometryError(
            f"{name} has shape {segmentation.shape} and orientation {segmentation.orientation}, its volume shape"
            f" {image.shape} and orientation {image.orientation}, or they lie more than {GRID_TOLERANCE_MM} mm apart"
        )
