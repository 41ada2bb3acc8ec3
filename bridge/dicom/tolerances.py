"""How strictly a series' geometry is taken, and what a site may let in on its own responsibility."""

import math
from dataclasses import dataclass

from eigenwarp.errors import OptionInvalidError


@dataclass(frozen=True)
class Tolerances:
    """How far a series may be off an even stack at right angles and still be one.

    Args:
        orientation: of direction cosines, between instances and from right angles and unit length; also the slope at
            which slices may run off their normal. Real files are rounded to 1e-7.
        position_mm: of a slice's place in the even stack, along the normal and across it.
        pixel_spacing: of PixelSpacing between instances, as a part of it.

    Raises:
        OptionInvalidError: not positive, or wider than what can still be called one grid.
    """

    orientation: float = 1e-4
    position_mm: float = 0.01
    pixel_spacing: float = 1e-4

    def __post_init__(self) -> None:
        for name, value, widest in (
            ("orientation", self.orientation, 1e-2),
            ("position_mm", self.position_mm, 1.0),
            ("pixel_spacing", self.pixel_spacing, 1e-2),
        ):
            if not (math.isfinite(value) and 0 < value <= widest):
                raise OptionInvalidError(f"tolerance {name} must be above 0 and at most {widest:g}, got {value:g}")


@dataclass(frozen=True)
class Overrides:
    """What is let in although it is a defect.

    Args:
        trust_synthetic_geometry: results may be written back although positions are (0, 0, InstanceNumber).
        without_frame_of_reference: take the series in; results cannot be written back in patient space.
        time_point: which of several frames at each position to take, from 1 in order of acquisition.

    Raises:
        OptionInvalidError: a time point below 1.
    """

    trust_synthetic_geometry: bool = False
    without_frame_of_reference: bool = False
    time_point: int | None = None

    def __post_init__(self) -> None:
        if self.time_point is not None and self.time_point < 1:
            raise OptionInvalidError(f"time points count from 1, got {self.time_point}")


DEFAULT_TOLERANCES = Tolerances()
NO_OVERRIDES = Overrides()
