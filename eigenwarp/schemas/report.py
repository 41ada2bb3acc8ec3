"""``report.json``: what a registration did and how far it can be believed."""

from typing import Literal

from pydantic import Field

from eigenwarp.schemas.choices import AlignmentChoice, RefineChoice
from eigenwarp.schemas.components import LabelChange, MotionRow
from eigenwarp.schemas.document import Document, ModelReference, Notice, Share, Vector
from eigenwarp.schemas.localization import Localization
from eigenwarp.schemas.projection import Domain


class Grid(Document):
    """A volume's grid."""

    shape: tuple[int, int, int]
    spacing_mm: Vector
    orientation: str = Field(description="Where each array axis points to, such as RAS.")


class Options(Document):
    """What was asked for."""

    refine: RefineChoice
    alignment: AlignmentChoice
    components: int | None = Field(description="Components of the basis used; null for the whole encoding.")


class Similarity(Document):
    """Likeness of the moving and the fixed image, before (after the initial alignment alone) and after."""

    measure: Literal["global normalised cross-correlation"] = "global normalised cross-correlation"
    before: float | None
    after: float | None
    voxel_share: Share = Field(description="Share of the fixed grid that the moving image covers, before and after.")


class LabelReport(Document):
    """One label; Dice only where both segmentations were given."""

    label: int
    name: str | None
    dice_before: float | None
    dice_after: float | None
    moving_mm3: float | None
    fixed_mm3: float | None
    change_mm3: float | None = Field(description="Fixed less moving.")
    change_percent: float | None = Field(description="Of the moving volume.")


class Labels(Document):
    """Every label, and where the segmentations came from: given, or predicted by the model's segmentation head."""

    moving_source: Literal["given", "predicted"] | None
    fixed_source: Literal["given", "predicted"] | None
    rows: list[LabelReport]
    mean_dice_before: float | None
    mean_dice_after: float | None


class Jacobian(Document):
    """Determinant of the transform fixed → moving on the fixed grid; above 1 the moving side is larger."""

    minimum: float
    maximum: float
    folding_share: Share = Field(description="Share of voxels with a determinant ≤ 0.")
    sd_log: float | None = Field(description="Learn2Reg's SDlogJ.")


class InverseConsistencyReport(Document):
    """How far points come back from where they started through field and inverse field, mm."""

    mean_mm: float
    p95_mm: float
    max_mm: float
    inside_share: Share = Field(description="Share of the fixed voxels that land on the moving grid; only they count.")


class Coefficients(Document):
    """Coefficients a_1 … a_K of both volumes; the difference is moving less fixed."""

    moving: list[float]
    fixed: list[float]
    difference: list[float]


class ComponentShare(Document):
    """What component k contributes to the latent difference that was decoded."""

    component: int = Field(ge=1)
    coefficient: float
    standard_deviations: float | None = Field(
        default=None, description="The coefficient in standard deviations of the training cohort along the component."
    )
    share: Share = Field(description="Of the squared length of the latent difference.")


class Explanation(Document):
    """The decoded latent difference z in the basis, and the deformation in elementary motions.

    The components' shares and the one outside add up to 1. The motions are those of the moving anatomy beyond the
    initial alignment, over the moving labels (the whole moving image without any). Null stands where too little anatomy
    is known, and in the reports of versions that did not yet tell it.
    """

    description: str | None = Field(default=None, description="One line in plain language.")
    components: list[ComponentShare] = Field(description="In the order of the basis.")
    outside_basis_share: Share
    motion: MotionRow | None = Field(default=None, description="Of the whole deformation.")
    basis_motion: MotionRow | None = Field(
        default=None, description="Of what is decoded from the components' part of z alone."
    )
    beyond_basis_mm: float | None = Field(
        default=None, description="Root mean square of what the whole motion has beyond that of the components' part."
    )
    volume_changes: list[LabelChange] = Field(
        default=[], description="What the deformation does to the volume of each moving label."
    )
    latent_refinement_mm: float | None = Field(
        default=None, description="Root mean square of what latent refinement changed in the decoded field; 0 without."
    )
    field_beyond_decoding_mm: float = Field(
        description="Root mean square of what field refinement added to the decoded field: not explained by the basis."
    )


class Report(Document):
    """One registration of ``moving`` onto ``fixed``."""

    model: ModelReference
    options: Options
    moving: Grid
    fixed: Grid
    similarity: Similarity
    labels: Labels
    jacobian: Jacobian
    inverse_consistency: InverseConsistencyReport
    coefficients: Coefficients | None = Field(description="Null for a model without a basis, as the two that follow.")
    explanation: Explanation | None
    moving_domain: Domain | None
    fixed_domain: Domain | None
    moving_localization: Localization | None = Field(default=None, description="Where a whole head was cropped.")
    fixed_localization: Localization | None = None
    warnings: list[Notice]
    timings_s: dict[str, float] = Field(description="Seconds per stage, in order.")
