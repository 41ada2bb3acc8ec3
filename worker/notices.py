"""The warnings that go with a result, each with a stable code."""

import numpy as np
import numpy.typing as npt

from eigenwarp.basis import Basis
from eigenwarp.field import DisplacementField, InverseConsistency, folding_share
from eigenwarp.preprocess import Preprocessing
from eigenwarp.schemas.document import Notice
from eigenwarp.schemas.projection import Domain
from eigenwarp.volume import Volume

GEOMETRY_CHANGED, OUT_OF_DOMAIN, EXTREME_FIELD, REGISTRATION = (
    "geometry-changed",
    "out-of-domain",
    "extreme-field",
    "registration",
)

# A basis of K directions holds the subjects it was fitted to better than any others; up to this factor over the worst
# of them, a residual tells nothing.
RESIDUAL_MARGIN = 1.3
# Above the floor of published networks; a folded region is not a deformation.
FOLDING_LIMIT = 0.005
# Part of the model grid's shortest side: a deformation that long moves anatomy through the organ.
DISPLACEMENT_LIMIT = 0.25
# Local change of volume beyond which tissue appears or vanishes.
JACOBIAN_LIMITS = (0.1, 10.0)
INVERSE_LIMIT_MM = 1.0


def own_notices(warnings: tuple[str, ...]) -> list[Notice]:
    """What the model itself had to say."""
    return [Notice(code=REGISTRATION, detail=text) for text in warnings]


def geometry_notices(side: str, volume: Volume, preprocessing: Preprocessing) -> list[Notice]:
    """What preprocessing does to a volume beyond laying a grid over it.

    Args:
        side: what to call the volume.
    """
    canonical, _ = volume.geometry.reoriented(preprocessing.orientation)
    notices = []
    extent = np.array(canonical.shape) * canonical.spacing
    reach = np.array(preprocessing.shape) * preprocessing.spacing
    if not np.allclose(canonical.spacing, preprocessing.spacing, rtol=1e-3):
        notices.append(
            f"{side}: resampled from {_product(canonical.spacing)} mm"
            f" to the model's {_product(preprocessing.spacing)} mm"
        )
    if (extent > reach + 1e-3).any():
        notices.append(
            f"{side}: {_product(extent)} mm do not fit the model's grid of {_product(reach)} mm;"
            " what lies outside is not seen, and moves with the grid's border"
        )
    if volume.geometry.orientation != preprocessing.orientation:
        notices.append(f"{side}: axes stored as {volume.geometry.orientation}, seen as {preprocessing.orientation}")
    return [Notice(code=GEOMETRY_CHANGED, detail=detail) for detail in notices]


def domain_notices(side: str, domain: Domain, basis: Basis) -> list[Notice]:
    """Whether a volume is unlike every subject that the model was trained on."""
    details = []
    if domain.mahalanobis_percentile >= 100:
        details.append(
            f"{side}: {domain.mahalanobis:.1f} standard deviations from the training cohort's mean, further than any of"
            f" its {len(basis.coefficients)} subjects"
        )
    worst = float(basis.residuals.max())
    if domain.reconstruction_residual > RESIDUAL_MARGIN * worst:
        details.append(
            f"{side}: the basis leaves {domain.reconstruction_residual:.0%} of the encoding's length,"
            f" at most {worst:.0%} of any training subject's"
        )
    return [Notice(code=OUT_OF_DOMAIN, detail=detail) for detail in details]


def field_notices(
    field: DisplacementField,
    initial: DisplacementField,
    jacobian: npt.NDArray[np.float32],
    consistency: InverseConsistency,
    preprocessing: Preprocessing,
) -> list[Notice]:
    """Whether a field is one that anatomy seldom follows."""
    details = []
    folded = folding_share(jacobian)
    if folded > FOLDING_LIMIT:
        details.append(f"the field folds in {folded:.2%} of the voxels; up to {FOLDING_LIMIT:.1%} is usual")
    low, high = np.percentile(jacobian, (1, 99))
    if low < JACOBIAN_LIMITS[0] or high > JACOBIAN_LIMITS[1]:
        details.append(
            f"98 % of the Jacobian determinants lie between {low:.2f} and {high:.2f},"
            f" outside {JACOBIAN_LIMITS[0]:g} to {JACOBIAN_LIMITS[1]:g}"
        )
    longest = float(np.linalg.norm(field.displacement - initial.displacement, axis=-1).max())
    limit = DISPLACEMENT_LIMIT * float(min(np.array(preprocessing.shape) * preprocessing.spacing))
    if longest > limit:
        details.append(f"the deformation reaches {longest:.1f} mm; up to {limit:.1f} mm is usual")
    if consistency.p95_mm > INVERSE_LIMIT_MM:
        details.append(
            f"field and inverse field disagree by {consistency.p95_mm:.2f} mm at the 95th percentile;"
            f" up to {INVERSE_LIMIT_MM:g} mm is usual"
        )
    return [Notice(code=EXTREME_FIELD, detail=detail) for detail in details]


def _product(values: npt.ArrayLike) -> str:
    return " × ".join(f"{value:.3g}" for value in np.asarray(values, dtype=np.float64))
