"""Regions of interest that the bridge itself crops a series to; what the service finds is ``rules.Localize``."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from bridge.config.section import Pattern, Section
from bridge.dicom.region import PatientBox
from eigenwarp.errors import GeometryInvalidError

Point = tuple[FiniteFloat, FiniteFloat, FiniteFloat]


def _size(value: Point) -> Point:
    for axis, length in zip("xyz", value, strict=True):
        if length <= 0:
            raise ValueError(f"{length:g} mm along {axis}: a box has an extent along each axis")
    return value


class Box(Section):
    """A place in the patient, DICOM's coordinates: x to the left, y to the back, z to the head, mm.

    It is the same for every series of the rule: scanner coordinates, so it fits only where patients are positioned
    alike, or one patient is followed. Either the corners or centre and size.

    Args:
        corners: two opposite ones, in any order.
        centre: of the box.
        size: along the three axes.
    """

    corners: tuple[Point, Point] | None = None
    centre: Point | None = None
    size: Annotated[Point, AfterValidator(_size)] | None = None

    @model_validator(mode="after")
    def _one_box(self) -> Self:
        if (self.centre is None) != (self.size is None):
            raise ValueError("centre and size go together")
        if (self.corners is None) == (self.centre is None):
            raise ValueError("either corners or centre and size")
        try:
            self.in_patient()
        except GeometryInvalidError as error:
            raise ValueError(error.detail) from None
        return self

    def in_patient(self) -> PatientBox:
        """As the conversion takes it."""
        if self.corners is not None:
            return PatientBox.around(self.corners)
        if self.centre is None or self.size is None:
            raise GeometryInvalidError("a box without centre and size")
        low, high = (
            tuple(middle + sign * length / 2 for middle, length in zip(self.centre, self.size, strict=True))
            for sign in (-1, 1)
        )
        return PatientBox((low[0], low[1], low[2]), (high[0], high[1], high[2]))


class FromSegmentation(Section):
    """The box around what somebody's SEG shows, in the same study and the same frame of reference.

    What a bridge made itself does not count. One SEG must be left; where several are, those that name the series as
    what they were drawn on go before the others.

    Args:
        series_description: regular expression over the SEG's.
        label: regular expression over its segments' labels; the box takes in every segment that matches, all without.
        margin_mm: on every side.
    """

    series_description: Pattern | None = None
    label: Pattern | None = None
    margin_mm: FiniteFloat = Field(default=8.0, ge=0, le=500)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.series_description is None and self.label is None:
            raise ValueError("neither series_description nor label: any SEG there is would be taken")
        return self

    @property
    def text(self) -> str:
        """For errors and lists."""
        criteria = (("series_description", self.series_description), ("label", self.label))
        return "SEG with " + " and ".join(f"{name} {value!r}" for name, value in criteria if value is not None)
