"""From coefficients back to anatomy: the deformation that they stand for, and the template under it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eigenwarp.errors import ComponentOutOfRangeError, ModelUnknownError, OptionInvalidError
from eigenwarp.field import DisplacementField, field_from_model, warp_segmentation, warp_volume
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume import Segmentation, Volume


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What coefficients stand for, on the template's grid.

    Args:
        field: from the subject that has the coefficients to the template, which it brings onto that subject.
        warped: the template, brought there.
        warped_segmentation: its labels, brought there, where it has any.
    """

    field: DisplacementField
    warped: Volume
    warped_segmentation: Segmentation | None


def reconstruct(
    model: RegistrationModel, coefficients: Sequence[float], template: Volume | None = None
) -> Reconstruction:
    """The subject whose encoding is mean + Σ a_j u_j.

    The template stands for the mean encoding. Registering it onto that subject decodes the difference of the encodings,
    moving less fixed: D(−Σ a_j u_j). So ``reconstruct`` undoes ``project_volume`` as far as the basis and the template
    allow, and goes the other way than ``component_field``, which follows the paper's figures.

    Args:
        coefficients: a_1 … a_n, n ≤ K; those left out are 0.
        template: what to warp; the model's own template, with its labels, by default.

    Raises:
        ComponentOutOfRangeError: more coefficients than components.
        OptionInvalidError: no coefficient, or one that is not finite.
        ModelUnknownError: the model has no basis, or no template where none is given.
    """
    a = np.asarray(coefficients, dtype=np.float64)
    if a.ndim != 1 or not len(a) or not np.isfinite(a).all():
        raise OptionInvalidError("coefficients must be a list of finite numbers, of at least one")
    basis = model.basis
    if len(a) > basis.count:
        raise ComponentOutOfRangeError(f"{len(a)} coefficients, the basis has {basis.count} components")
    labels = None
    if template is None:
        template, labels = model.bundle.template, model.bundle.template_segmentation
        if template is None:
            raise ModelUnknownError(f"model {model.bundle.name!r} has no template to warp")
    grid = model.preprocessing.grid_for(template)
    displacement = model.decode(-(a @ basis.components[: len(a)]))
    field = field_from_model(displacement, grid, grid, template.geometry)
    return Reconstruction(
        field=field,
        warped=warp_volume(template, field),
        warped_segmentation=None if labels is None else warp_segmentation(labels, field),
    )
