"""What each component of the basis does to the template."""

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import OptionInvalidError
from eigenwarp.explanation import describe_motion
from eigenwarp.field import DisplacementField, field_from_model, invert, jacobian_determinant
from eigenwarp.field.motion import Motion, decompose_motion
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.choices import ScaleUnit
from eigenwarp.schemas.components import ComponentRow, ComponentTable, LabelChange, MotionRow, MotionShares
from eigenwarp.schemas.document import ModelReference
from eigenwarp.volume import Geometry, Segmentation
from eigenwarp.volume.bounding_box import bounding_box

# Voxels around the labels in which the inverse is sought, for the derivatives at their border.
_MARGIN = 2


def component_field(
    model: RegistrationModel, component: int, scale: float, unit: ScaleUnit = "sd"
) -> DisplacementField:
    """The elementary deformation D(λ u_k) on the template's grid (paper, section 3.2).

    It warps the template as the paper's figures do, W(D(λ u_k), template): a subject whose coefficient a_k lies λ
    *below* the mean looks so.

    Args:
        component: k, 1 … K.
        scale: λ, in standard deviations of the training cohort along the component or in latent units.

    Raises:
        ComponentOutOfRangeError: no such component.
        OptionInvalidError: a scale that is not finite.
        ModelUnknownError: the model has no basis.
    """
    grid = template_grid(model)
    return field_from_model(component_displacement(model, component, scale, unit), grid, grid, grid)


def component_displacement(
    model: RegistrationModel, component: int, scale: float, unit: ScaleUnit = "sd"
) -> npt.NDArray[np.float32]:
    """D(λ u_k) as the network gives it: (X, Y, Z, 3) on the model's grid, voxels.

    Args, Raises: as ``component_field``.
    """
    if not np.isfinite(scale):
        raise OptionInvalidError(f"the scale must be a finite number, got {scale}")
    length = scale * (model.basis.standard_deviation(component) if unit == "sd" else 1.0)
    return model.decode(length * model.basis.direction(component))


def template_grid(model: RegistrationModel) -> Geometry:
    """The template's grid, which is the model's, centred at the world's origin where there is no template."""
    template = model.bundle.template
    preprocessing = model.preprocessing
    if template is None or template.shape != preprocessing.shape:
        return Geometry.from_spacing(preprocessing.shape, preprocessing.spacing)
    return template.geometry


def describe_components(model: RegistrationModel) -> ComponentTable:
    """A row for each component.

    Raises:
        ModelUnknownError: the model has no basis.
    """
    rows = [describe_component(model, k) for k in range(1, model.basis.count + 1)]
    return ComponentTable(model=ModelReference(name=model.bundle.name, version=model.bundle.version), rows=rows)


def describe_component(model: RegistrationModel, component: int) -> ComponentRow:
    """How much a component explains, and how it moves the template's anatomy at +1 standard deviation.

    Raises:
        ComponentOutOfRangeError: no such component.
        ModelUnknownError: the model has no basis.
    """
    basis = model.basis
    field = component_field(model, component, 1.0, "sd")
    labels = _template_labels(model)
    motion, changes = _effect(field, labels, {label: name for name, label in model.labels.items()})
    by_name = {change.name or f"label {change.label}": change.change_percent for change in changes}
    ratios = basis.explained_variance_ratio
    return ComponentRow(
        component=component,
        explained_variance_ratio=float(ratios[component - 1]),
        cumulative=min(float(ratios[:component].sum()), 1.0),
        standard_deviation=basis.standard_deviation(component),
        motion=motion_row(motion, over_labels=labels is not None),
        volume_changes=changes,
        description=describe_motion(motion, by_name),
    )


def _template_labels(model: RegistrationModel) -> Segmentation | None:
    labels = model.bundle.template_segmentation
    return labels if labels is not None and labels.labels and labels.shape == model.preprocessing.shape else None


def _effect(
    field: DisplacementField, labels: Segmentation | None, names: dict[int, str]
) -> tuple[Motion, list[LabelChange]]:
    """Motion and volume changes of the anatomy, which moves by the inverse of the field."""
    if labels is None:
        return decompose_motion(invert(field, field.geometry)), []
    box = bounding_box(labels.data > 0, margin=_MARGIN)
    inside = labels.data[box]
    offset = (box[0].start, box[1].start, box[2].start)
    inverse = invert(field, labels.geometry.cropped(offset, (inside.shape[0], inside.shape[1], inside.shape[2])))
    jacobian = jacobian_determinant(inverse)
    changes = [
        LabelChange(
            label=label,
            name=names.get(label),
            # The integral of the determinant over the label is its new volume.
            change_percent=100 * (float(jacobian[inside == label].mean(dtype=np.float64)) - 1),
        )
        for label in labels.labels
    ]
    return decompose_motion(inverse, inside > 0), changes


def motion_row(motion: Motion, over_labels: bool) -> MotionRow:
    """A motion as it leaves the program."""
    return MotionRow(
        measured_over="labels" if over_labels else "grid",
        shares=MotionShares(
            translation=motion.translation_share,
            rotation=motion.rotation_share,
            scaling=motion.scaling_share,
            shear=motion.shear_share,
            rest=motion.rest_share,
        ),
        rms_mm=motion.rms_mm,
        translation_mm=motion.translation_mm,
        rotation_degrees=motion.rotation_degrees,
        rotation_axis=motion.rotation_axis,
        scaling_percent=100 * (motion.scaling - 1),
    )
