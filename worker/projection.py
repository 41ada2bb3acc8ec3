"""A volume's coefficients in the basis, and how well the basis knows such volumes."""

import numpy as np
import numpy.typing as npt

from eigenwarp.basis import Basis
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.preprocess import Alignment
from eigenwarp.schemas.document import ModelReference
from eigenwarp.schemas.projection import Domain, Projection
from eigenwarp.volume import Volume
from worker.notices import domain_notices, geometry_notices


def project_volume(model: RegistrationModel, volume: Volume, alignment: Alignment = Alignment.CENTER) -> Projection:
    """Encode a volume and express it in the model's basis.

    Raises:
        ModelUnknownError: the model has no basis.
        EigenwarpError: the volume cannot be encoded.
    """
    basis = model.basis
    code = model.encode(volume, alignment)
    coefficients = basis.project(code)
    domain = describe_domain(basis, code)
    return Projection(
        model=ModelReference(name=model.bundle.name, version=model.bundle.version),
        coefficients=coefficients.tolist(),
        z_scores=(coefficients / np.sqrt(basis.variances)).tolist(),
        explained_variance_ratio=basis.explained_variance_ratio.tolist(),
        **domain.model_dump(),
        warnings=[
            *geometry_notices("volume", volume, model.preprocessing),
            *domain_notices("volume", domain, basis),
        ],
    )


def describe_domain(basis: Basis, code: npt.NDArray[np.floating]) -> Domain:
    """Where an encoding (D,) lies among those of the training cohort."""
    coefficients = basis.project(code)
    return Domain(
        mahalanobis=basis.mahalanobis(coefficients),
        mahalanobis_percentile=basis.mahalanobis_percentile(coefficients),
        reconstruction_residual=min(basis.residual(code), 1.0),
        reconstruction_residual_percentile=basis.residual_percentile(code),
    )
