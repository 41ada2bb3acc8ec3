"""Displacement fields on the fixed grid, in world RAS millimetres, and what can be done with them."""

from eigenwarp.field.composition import InverseConsistency, compose, inverse_consistency
from eigenwarp.field.displacement import DisplacementField
from eigenwarp.field.inversion import Inversion, invert, solve_inverse
from eigenwarp.field.jacobian import folding_share, jacobian_determinant, sd_log_jacobian
from eigenwarp.field.model_field import field_from_model
from eigenwarp.field.tissue_motion import tissue_motion
from eigenwarp.field.warp import LabelOrder, warp_points, warp_segmentation, warp_volume

__all__ = [
    "DisplacementField",
    "InverseConsistency",
    "Inversion",
    "LabelOrder",
    "compose",
    "field_from_model",
    "folding_share",
    "inverse_consistency",
    "invert",
    "jacobian_determinant",
    "sd_log_jacobian",
    "solve_inverse",
    "tissue_motion",
    "warp_points",
    "warp_segmentation",
    "warp_volume",
]
