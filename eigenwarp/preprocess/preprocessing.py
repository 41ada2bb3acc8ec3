"""One description of preprocessing that training and inference share and that a bundle carries."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import permutations, product
from typing import Self

import numpy as np
import numpy.typing as npt
from nibabel.orientations import apply_orientation

from eigenwarp.errors import EmptyVolumeError, GeometryInvalidError, OptionInvalidError
from eigenwarp.preprocess.alignment import Alignment, centre_of_mass
from eigenwarp.volume import Geometry, Segmentation, Shape, Volume
from eigenwarp.volume.resample import resample_linear, resample_nearest

_ORIENTATIONS = frozenset(
    "".join(axes[i][j] for i, j in enumerate(choice))
    for axes in permutations(("LR", "PA", "IS"))
    for choice in product((0, 1), repeat=3)
)
# A spacing that drifts off the model's by less than this part of a voxel over the whole grid is the model's.
_SPACING_DRIFT = 0.01


@dataclass(frozen=True)
class Preprocessing:
    """The model's grid and intensity scale (paper, section 4: N(0, 1), clip to [−5, 5], min-max to (0, 1)).

    Args:
        shape: voxels of the model's grid, (X, Y, Z).
        spacing: mm between its voxels.
        orientation: where its axes point to, such as ``"RAS"``.
        clip: standard deviations beyond which intensities are cut off.

    Raises:
        OptionInvalidError: a value out of range.
    """

    shape: Shape = (48, 64, 48)
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    orientation: str = "RAS"
    clip: float = 5.0

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or not all(type(n) is int and 2 <= n <= 512 for n in self.shape):
            raise OptionInvalidError(f"shape must be three whole numbers from 2 to 512, got {self.shape!r}")
        if len(self.spacing) != 3 or not all(_is_number(s) and 1e-3 <= s <= 1e3 for s in self.spacing):
            raise OptionInvalidError(f"spacing must be three numbers of mm from 0.001 to 1000, got {self.spacing!r}")
        if self.orientation not in _ORIENTATIONS:
            raise OptionInvalidError(f"orientation must be three axis codes such as 'RAS', got {self.orientation!r}")
        if not (_is_number(self.clip) and 0 < self.clip < float("inf")):
            raise OptionInvalidError(f"clip must be a positive number of standard deviations, got {self.clip!r}")
        object.__setattr__(self, "shape", tuple(self.shape))
        object.__setattr__(self, "spacing", tuple(float(s) for s in self.spacing))
        object.__setattr__(self, "clip", float(self.clip))

    def to_dict(self) -> dict[str, object]:
        """Plain values for a bundle's ``model.json``."""
        described = asdict(self)
        return described | {"shape": list(self.shape), "spacing": list(self.spacing)}

    @classmethod
    def from_dict(cls, described: Mapping[str, object]) -> Self:
        """The inverse of ``to_dict``; every key must be there and no other.

        Raises:
            OptionInvalidError: a key is missing or unknown, or a value is of the wrong type or out of range.
        """
        keys = {"shape", "spacing", "orientation", "clip"}
        if set(described) != keys:
            raise OptionInvalidError(f"preprocessing needs exactly {sorted(keys)}, got {sorted(map(str, described))}")
        shape, spacing = described["shape"], described["spacing"]
        orientation, clip = described["orientation"], described["clip"]
        if not (isinstance(shape, list | tuple) and isinstance(spacing, list | tuple)):
            raise OptionInvalidError(f"shape and spacing must be lists, got {shape!r} and {spacing!r}")
        if not isinstance(orientation, str):
            raise OptionInvalidError(f"orientation must be text, got {orientation!r}")
        if isinstance(clip, bool) or not isinstance(clip, int | float):
            raise OptionInvalidError(f"clip must be a number, got {clip!r}")
        return cls(tuple(shape), tuple(spacing), orientation, clip)

    def grid_for(self, volume: Volume, alignment: Alignment = Alignment.CENTER) -> Geometry:
        """The model's grid laid over one volume, along the volume's own (oblique) directions.

        It is centred at the volume's centre, or at its centre of mass for ``moments``. Along axes where the volume
        already has the model's spacing, the grid moves by up to half a voxel so that the voxels coincide.
        """
        canonical, transform = volume.geometry.reoriented(self.orientation)
        if alignment is Alignment.MOMENTS:
            data = apply_orientation(volume.data, transform)
            centre = centre_of_mass(Volume(data, canonical))
        else:
            centre = (np.array(canonical.shape) - 1) / 2
        ratio = np.array(self.spacing) / canonical.spacing
        shape = np.array(self.shape)
        coincides = np.abs(ratio - 1) * shape < _SPACING_DRIFT
        ratio = np.where(coincides, 1.0, ratio)
        start = centre - ratio * (shape - 1) / 2
        start = np.where(coincides, np.floor(start + 0.5), start)
        placement = np.diag([*ratio, 1.0])
        placement[:3, 3] = start
        return Geometry(self.shape, canonical.affine @ placement)

    def grids_for_pair(
        self, moving: Volume, fixed: Volume, alignment: Alignment = Alignment.CENTER
    ) -> tuple[Geometry, Geometry]:
        """The model's grid over each volume of a pair: (moving's, fixed's). For ``world`` both are the fixed's."""
        fixed_grid = self.grid_for(fixed, alignment)
        return (fixed_grid if alignment is Alignment.WORLD else self.grid_for(moving, alignment)), fixed_grid

    def prepare(self, volume: Volume, grid: Geometry) -> npt.NDArray[np.float32]:
        """The network's input: linear resampling, N(0, 1), clip, min-max; statistics over the voxels in the image.

        Returns:
            (X, Y, Z) of the grid's shape in [0, 1]; 0 outside the image.

        Raises:
            GeometryInvalidError: the grid lies entirely outside the image.
            EmptyVolumeError: the part of the image on the grid has one intensity everywhere.
        """
        values, inside = resample_linear(volume.data, volume.geometry, grid)
        if not inside.any():
            raise GeometryInvalidError(
                f"the image, centred at {volume.geometry.centre.round(1).tolist()} mm, lies outside the model's grid,"
                f" centred at {grid.centre.round(1).tolist()} mm"
            )
        seen = values[inside].astype(np.float64)
        low, high = seen.min(), seen.max()
        if low == high:
            raise EmptyVolumeError(f"every voxel on the model's grid has the value {low:g}: nothing to register")
        seen = np.clip((seen - seen.mean()) / seen.std(), -self.clip, self.clip)
        prepared = np.zeros(grid.shape, dtype=np.float32)
        prepared[inside] = (seen - seen.min()) / (seen.max() - seen.min())
        return prepared

    def prepare_segmentation(self, segmentation: Segmentation, grid: Geometry) -> npt.NDArray[np.uint16]:
        """Labels on the model's grid, nearest voxel, (X, Y, Z); 0 outside."""
        labels, _ = resample_nearest(segmentation.data, segmentation.geometry, grid)
        return labels


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
