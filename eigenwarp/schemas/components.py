"""A row for each component of the basis: how much it explains, and what it does."""

from typing import Literal

from pydantic import Field

from eigenwarp.schemas.document import Document, ModelReference, Share, Vector


class MotionShares(Document):
    """Shares of the mean squared displacement; they add up to 1."""

    translation: Share
    rotation: Share
    scaling: Share
    shear: Share
    rest: Share = Field(description="What no affine motion accounts for.")


class MotionRow(Document):
    """How anatomy moves: the template's when warped along a component by +1 standard deviation, or a moving image's.

    The motion is the inverse of the field, which leads the other way.
    """

    measured_over: Literal["labels", "grid"] = Field(description="The labels, or the whole grid where there are none.")
    shares: MotionShares
    rms_mm: float
    translation_mm: Vector = Field(description="Of the region's centre, RAS.")
    rotation_degrees: float
    rotation_axis: Vector = Field(description="Unit vector, RAS, right-handed.")
    scaling_percent: float = Field(description="Isotropic change of length, %.")


class LabelChange(Document):
    """Change of a label's volume: the template's at +1 standard deviation, or the moving image's."""

    label: int
    name: str | None
    change_percent: float


class ComponentRow(Document):
    """Component k."""

    component: int = Field(ge=1)
    explained_variance_ratio: Share
    cumulative: Share
    standard_deviation: float = Field(description="Of the training cohort along the component, latent units.")
    motion: MotionRow
    volume_changes: list[LabelChange]
    description: str = Field(default="", description="What it does at +1 standard deviation, in a line.")


class ComponentTable(Document):
    """The whole basis of a model."""

    model: ModelReference
    rows: list[ComponentRow]
