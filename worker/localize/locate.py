"""Where a structure lies in a whole head, as a box of the head's own voxels, and how sure that is."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from eigenwarp.errors import GeometryInvalidError, StructureNotLocatedError
from eigenwarp.schemas.choices import SideChoice, StructureChoice
from eigenwarp.schemas.document import Notice
from eigenwarp.schemas.localization import Localization
from eigenwarp.volume import Geometry, Volume
from eigenwarp.volume.resample import resample_linear
from worker.localize.affine import Search, register_affinely
from worker.localize.template import Template, mni152
from worker.localize.thinning import thinned

LOCATION_UNCERTAIN: Final = "location-uncertain"

# Rank correlation of head and template within the brain. Heads that lie in place have 0.55 and more; a centimetre off
# leaves 0.3, fifteen degrees 0.4, and what is no head, or upside down, less than 0.2.
SURE: Final = 0.5
NOT_LOCATED: Final = 0.2
# Less of the template's brain inside the image than this is no whole head.
BRAIN_SHARE: Final = 0.6
# The crops of the model's training cohort leave 5 to 7 mm around the structure's head and body. The atlas' structure
# has a tail besides, thin and high up, that would pull the box's centre away: the box is laid around its core.
CORE_PERCENT: Final = (5.0, 95.0)
MARGIN_MM: Final = 8.0
# A head is this much larger or smaller than the template at most.
_VOLUME_RATIO: Final = (0.4, 2.0)


@dataclass(frozen=True, eq=False)
class Located:
    """A structure's box.

    Args:
        offset: of the box in the image, voxels.
        geometry: of the box, a crop of the image's grid.
        structure, side: what lies in it.
        correlation: rank correlation of image and template within the brain, −1 to 1: how far to trust the box.
        brain_share: share of the template's brain that the image covers.
        to_image: 4×4, template world → image world, RAS mm.
    """

    offset: tuple[int, int, int]
    geometry: Geometry
    structure: StructureChoice
    side: SideChoice
    correlation: float
    brain_share: float
    to_image: npt.NDArray[np.float64]

    def described(self) -> Localization:
        """As reports have it."""
        corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(self.geometry.shape) - 1)
        world = self.geometry.to_world(corners)
        return Localization(
            structure=self.structure,
            side=self.side,
            offset=self.offset,
            shape=self.geometry.shape,
            centre_mm=_triple(self.geometry.centre),
            lower_mm=_triple(world.min(axis=0)),
            upper_mm=_triple(world.max(axis=0)),
            correlation=self.correlation,
            brain_share=self.brain_share,
        )

    def notices(self, name: str) -> list[Notice]:
        """What to be careful about.

        Args:
            name: what to call the image.
        """
        if self.correlation >= SURE:
            return []
        return [
            Notice(
                code=LOCATION_UNCERTAIN,
                detail=f"{name}: the head resembles the template with a rank correlation of {self.correlation:.2f},"
                f" below {SURE:g}: look whether the box holds the {self.side} {self.structure}",
            )
        ]


def locate(image: Volume, structure: StructureChoice, side: SideChoice) -> Located:
    """Find a structure by registering the template to the image, and lay a box around it.

    A quick search comes first; where its result is in doubt, a thorough one follows and the better of both counts.

    Args:
        side: left or right in the world's coordinates, which the file's affine must have right.

    Raises:
        LocalizeUnavailableError: the extra ``localize`` is not installed.
        StructureNotLocatedError: the image is no whole head, or does not resemble one.
        EmptyVolumeError: one intensity everywhere.
    """
    image.require_contrast()
    template = mni152()
    _require_room(template, image.geometry)
    coarse = thinned(image)
    found = _fit(template, coarse, "AffineFast")
    if found.correlation < SURE:
        found = max(found, _fit(template, coarse, "Affine"), key=lambda fit: fit.correlation)
    _require_head(found)
    core = _core(template.structures[structure, side], found.to_image, image.geometry)
    margin = MARGIN_MM / np.array(image.geometry.spacing)
    lower = np.maximum(np.floor(core[0] - margin), 0).astype(int)
    upper = np.minimum(np.ceil(core[1] + margin), np.array(image.shape) - 1).astype(int)
    if (upper < lower).any():
        raise StructureNotLocatedError(f"the {side} {structure} lies outside the image")
    offset, shape = _whole(lower), _whole(upper - lower + 1)
    return Located(
        offset=offset,
        geometry=image.geometry.cropped(offset, shape),
        structure=structure,
        side=side,
        correlation=found.correlation,
        brain_share=found.brain_share,
        to_image=found.to_image,
    )


@dataclass(frozen=True, eq=False)
class _Fit:
    """An affine transform, template world → image world, and what speaks for it."""

    to_image: npt.NDArray[np.float64]
    correlation: float
    brain_share: float


def _fit(template: Template, image: Volume, search: Search) -> _Fit:
    to_image = register_affinely(template.head, image, search)
    # The template's grid carried over to the image's world: what is read there lies under the template's voxels.
    carried = to_image @ template.head.geometry.affine
    values, inside = resample_linear(image.data, image.geometry, _grid(template.head.geometry, carried))
    seen = template.brain & inside
    share = float(seen.sum() / template.brain.sum())
    under, over = template.head.data[seen], values[seen]
    flat = len(over) < 2 or over.min() == over.max()
    correlation = 0.0 if flat else float(spearmanr(under, over).statistic)
    return _Fit(to_image, correlation, share)


def _grid(template: Geometry, affine: npt.NDArray[np.float64]) -> Geometry:
    try:
        return Geometry(template.shape, affine)
    except GeometryInvalidError as error:
        raise StructureNotLocatedError(f"the image cannot be registered to a head: {error.detail}") from None


def _require_room(template: Template, image: Geometry) -> None:
    """Refuse what is too small for a brain, before ANTs spends time on it."""
    brain = float(template.brain.sum()) * template.head.geometry.voxel_volume / 1000
    size, needed = float(np.prod(image.shape)) * image.voxel_volume / 1000, brain * BRAIN_SHARE * _VOLUME_RATIO[0]
    if size < needed:
        raise StructureNotLocatedError(f"the image has {size:.0f} ml, a whole head needs at least {needed:.0f} ml")


def _require_head(found: _Fit) -> None:
    ratio = float(np.linalg.det(found.to_image[:3, :3]))
    low, high = _VOLUME_RATIO
    if found.brain_share < BRAIN_SHARE:
        raise StructureNotLocatedError(
            f"the image covers {found.brain_share:.0%} of a brain, a whole head needs {BRAIN_SHARE:.0%}"
        )
    if not low <= ratio <= high:
        raise StructureNotLocatedError(
            f"the head found has {ratio:.2f} times the template's volume, expected {low:g} to {high:g}"
        )
    if found.correlation < NOT_LOCATED:
        raise StructureNotLocatedError(
            f"the image resembles no head: its rank correlation with the template is {found.correlation:.2f},"
            f" {NOT_LOCATED:g} is needed"
        )


def _core(
    places: npt.NDArray[np.float64], to_image: npt.NDArray[np.float64], geometry: Geometry
) -> npt.NDArray[np.float64]:
    """Lower and upper bound of the structure's core along the image's axes, voxels, (2, 3)."""
    voxels = geometry.to_voxel(places @ to_image[:3, :3].T + to_image[:3, 3])
    bounds: npt.NDArray[np.float64] = np.percentile(voxels, CORE_PERCENT, axis=0)
    return bounds


def _whole(values: npt.NDArray[np.int_]) -> tuple[int, int, int]:
    x, y, z = (int(value) for value in values)
    return x, y, z


def _triple(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 3) for value in values)
    return x, y, z
