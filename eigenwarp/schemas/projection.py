"""A volume's place in the basis."""

from pydantic import Field

from eigenwarp.schemas.document import Document, ModelReference, Notice, Share
from eigenwarp.schemas.localization import Localization


class Domain(Document):
    """How a volume compares with the subjects the model was trained on."""

    mahalanobis: float = Field(ge=0, description="Distance from the cohort's mean, in standard deviations.")
    mahalanobis_percentile: float = Field(
        ge=0, le=100, description="Share of the training subjects nearer to the mean, %."
    )
    reconstruction_residual: Share = Field(description="|E(X) − mean − Σ a_j u_j| / |E(X) − mean|.")
    reconstruction_residual_percentile: float = Field(
        ge=0, le=100, description="Share of the training subjects that the basis holds better, %."
    )


class Projection(Domain):
    """The coefficients a_1 … a_K of a volume: its encoding, less the cohort's mean, along each component."""

    model: ModelReference
    coefficients: list[float]
    z_scores: list[float] = Field(description="The coefficients in standard deviations of the training cohort.")
    explained_variance_ratio: list[float]
    localization: Localization | None = Field(default=None, description="Where a whole head was cropped.")
    warnings: list[Notice]
