"""Definitions that make a basis readable and its quality measurable; arrays in, numbers out.

``docs/explanations.md`` has each with its formula and what it does not say.
"""

from eigenwarp.explanation.decomposition import Decomposition, ObliqueDirections
from eigenwarp.explanation.description import axis_name, describe_motion, direction_name
from eigenwarp.explanation.dose_response import DoseResponse, fit_dose_response
from eigenwarp.explanation.hotelling import (
    OutlierScores,
    cross_validated_scores,
    outlier_scores,
    q_limit,
    t_squared_limit,
)
from eigenwarp.explanation.interval import Interval, bootstrap_interval, proportion_interval
from eigenwarp.explanation.motion_energy import KINDS, MotionEnergy, Pooled
from eigenwarp.explanation.participation import held_share, participation_ratio, top_share
from eigenwarp.explanation.sentence import describe_registration
from eigenwarp.explanation.shape_model import compactness, draw_coefficients, nearest_distances, relative_residuals
from eigenwarp.explanation.subspaces import (
    Matched,
    canonical_correlations,
    match_components,
    principal_angles,
    subspace_overlap,
)
from eigenwarp.explanation.varimax import rotate_basis, varimax

__all__ = [
    "KINDS",
    "Decomposition",
    "DoseResponse",
    "Interval",
    "Matched",
    "MotionEnergy",
    "ObliqueDirections",
    "OutlierScores",
    "Pooled",
    "axis_name",
    "bootstrap_interval",
    "canonical_correlations",
    "compactness",
    "cross_validated_scores",
    "describe_motion",
    "describe_registration",
    "direction_name",
    "draw_coefficients",
    "fit_dose_response",
    "held_share",
    "match_components",
    "nearest_distances",
    "outlier_scores",
    "participation_ratio",
    "principal_angles",
    "proportion_interval",
    "q_limit",
    "relative_residuals",
    "rotate_basis",
    "subspace_overlap",
    "t_squared_limit",
    "top_share",
    "varimax",
]
