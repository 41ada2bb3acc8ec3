"""The concepts of the measurements: standard ones where there are, else those of our own scheme.

A coefficient is one number of an encoding whose meaning depends on the model: the code says which number, the group's
algorithm identification says of which model and version.
"""

from typing import Final

from pydicom.sr.coding import Code

from bridge.objects.private_scheme import private_code

NO_UNITS: Final = Code("1", "UCUM", "no units")
PERCENT: Final = Code("%", "UCUM", "Percent")
CUBIC_MILLIMETRE: Final = Code("mm3", "UCUM", "cubic millimeter")
MILLIMETRE: Final = Code("mm", "UCUM", "millimeter")

VOLUME: Final = Code("118565006", "SCT", "Volume")
VOXEL_SUMMATION: Final = Code("YEKZ", "IBSI", "Volume from Voxel Summation")
IMAGING_MEASUREMENT_REPORT: Final = Code("126000", "DCM", "Imaging Measurement Report")

COUNTERPART_VOLUME: Final = private_code("VOLUME-OTHER", "Volume of the label in what the series was registered with")
VOLUME_CHANGE: Final = private_code("VOLUME-CHANGE", "Volume change from what the series was registered with")

SHAPE: Final = private_code("SHAPE", "Place of the series in the shape basis")
REGISTRATION: Final = private_code("REGISTRATION", "Registration of the series")
MAHALANOBIS: Final = private_code("MAHALANOBIS", "Mahalanobis distance from the training cohort")
MAHALANOBIS_PERCENTILE: Final = private_code("MAHALANOBIS-PCT", "Percentile of the Mahalanobis distance in the cohort")
RESIDUAL: Final = private_code("RESIDUAL", "Share of the encoding's length that the basis does not hold")
RESIDUAL_PERCENTILE: Final = private_code("RESIDUAL-PCT", "Percentile of the residual in the training cohort")
OUTSIDE_BASIS: Final = private_code("SHARE-OUTSIDE", "Share of the latent difference outside the basis")
JACOBIAN_MINIMUM: Final = private_code("JACOBIAN-MIN", "Smallest Jacobian determinant")
JACOBIAN_MAXIMUM: Final = private_code("JACOBIAN-MAX", "Largest Jacobian determinant")
FOLDING: Final = private_code("FOLDING", "Share of voxels with a Jacobian determinant of 0 or less")
CORRELATION_BEFORE: Final = private_code("CORR-BEFORE", "Normalised cross-correlation after the alignment alone")
CORRELATION_AFTER: Final = private_code("CORR-AFTER", "Normalised cross-correlation after the registration")
INVERSE_ERROR: Final = private_code("INVERSE-P95", "Inverse consistency error, 95th percentile")

COUNTERPART: Final = private_code("COUNTERPART", "What the series was registered with")
WARNING: Final = private_code("WARNING", "Warning")
DISCLAIMER: Final = private_code("INTENDED-USE", "Intended use")


def coefficient(component: int) -> Code:
    """a_k."""
    return private_code(f"COEF-{component:03d}", f"Coefficient of component {component}")


def z_score(component: int) -> Code:
    """a_k in standard deviations of the training cohort."""
    return private_code(f"Z-{component:03d}", f"Coefficient of component {component} in standard deviations")


def share(component: int) -> Code:
    """What the component contributes to the latent difference."""
    return private_code(f"SHARE-{component:03d}", f"Share of component {component} in the latent difference")
