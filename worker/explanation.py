"""One registration in words and shares: which components stand for it, and how the anatomy moves."""

from dataclasses import dataclass
from math import cbrt, ceil

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import FieldInvalidError
from eigenwarp.explanation import describe_registration
from eigenwarp.field import DisplacementField, invert, jacobian_determinant, tissue_motion
from eigenwarp.field.motion import Motion, decompose_motion
from eigenwarp.model.registration import Registration, RegistrationModel
from eigenwarp.preprocess import Alignment
from eigenwarp.schemas.components import LabelChange
from eigenwarp.schemas.report import ComponentShare, Explanation
from eigenwarp.volume import Geometry, Segmentation
from eigenwarp.volume.bounding_box import Box, bounding_box
from worker.components import motion_row
from worker.pair import Pair

# An affine fit needs no more points of a box than this, and inverting the basis' part at each of them takes time.
_BOX_VOXELS = 8000
# Sampled more coarsely, a small label would lose its shape.
_FEWEST_INSIDE = 200
# Voxels around the labels, for the derivatives at their border.
_DERIVATIVE_MARGIN = 2


@dataclass(frozen=True, eq=False)
class _Motions:
    """Of the moving anatomy, over the same points: of the whole deformation, and of the components' part alone."""

    whole: Motion | None
    of_basis: Motion | None
    apart_mm: float | None


def explain(
    model: RegistrationModel, pair: Pair, found: Registration, *, alignment: Alignment, components: int | None
) -> Explanation | None:
    """What a registration's report says of how it comes about; None for a model without a basis.

    Args:
        pair: whose moving labels, if any, say where the anatomy is.
        alignment, components: as the registration was asked for.
    """
    if model.bundle.basis is None:
        return None
    rows, outside = _component_shares(model, found)
    moving_grid, fixed_grid = model.preprocessing.grids_for_pair(pair.moving, pair.fixed, alignment)
    initial = moving_grid.affine @ fixed_grid.inverse_affine
    motions = _motions(model, pair, found, initial, fixed_grid)
    changes = _volume_changes(model, pair.moving_labels, found.inverse_field, initial)
    return Explanation(
        description=describe_registration(
            [row.share for row in rows],
            outside,
            motions.whole,
            {change.name or f"label {change.label}": change.change_percent for change in changes},
        ),
        components=rows,
        outside_basis_share=outside,
        motion=None if motions.whole is None else motion_row(motions.whole, pair.moving_labels is not None),
        basis_motion=None if motions.of_basis is None else motion_row(motions.of_basis, pair.moving_labels is not None),
        beyond_basis_mm=motions.apart_mm,
        volume_changes=changes,
        latent_refinement_mm=_latent_refinement_mm(model, found, components),
        field_beyond_decoding_mm=found.refinement_residual_mm,
    )


def _component_shares(model: RegistrationModel, found: Registration) -> tuple[list[ComponentShare], float]:
    """Each component's share of the latent difference, and the share outside the basis."""
    difference = found.latent_difference.astype(np.float64)
    along = model.basis.project_difference(difference)
    squared_length = float(difference @ difference)
    shares = along**2 / squared_length if squared_length else np.zeros_like(along)
    held = float(shares.sum())
    if held > 1:
        # The basis is orthonormal but for float32.
        shares, held = shares / held, 1.0
    spreads = np.sqrt(model.basis.variances.astype(np.float64))
    rows = [
        ComponentShare(
            component=k,
            coefficient=float(a),
            standard_deviations=float(a / spread) if spread else None,
            share=float(share),
        )
        for k, (a, spread, share) in enumerate(zip(along, spreads, shares, strict=True), start=1)
    ]
    return rows, (1 - held if squared_length else 0.0)


def _motions(
    model: RegistrationModel, pair: Pair, found: Registration, initial: npt.NDArray[np.float64], fixed_grid: Geometry
) -> _Motions:
    """Over a sample of the moving labels, or of the whole moving image where there are none."""
    labels = pair.moving_labels
    inside = np.ones(pair.moving.shape, dtype=np.bool_) if labels is None else labels.data > 0
    if not inside.any():
        return _Motions(None, None, None)
    chosen = _sample(inside)
    region = inside[chosen]
    whole = tissue_motion(found.inverse_field, initial, chosen)
    # On the model's grid over the fixed image there is no alignment left to take off.
    held = model.decode(model.basis.truncate(found.latent_difference)) @ fixed_grid.affine[:3, :3].T
    of_basis = invert(DisplacementField(held.astype(np.float32), fixed_grid), whole.geometry)
    apart = (whole.displacement - of_basis.displacement)[region].astype(np.float64)
    try:
        return _Motions(
            decompose_motion(whole, region),
            decompose_motion(of_basis, region),
            float(np.sqrt((apart**2).sum(axis=1).mean())),
        )
    except FieldInvalidError:
        # Labels of one plane fix no affine motion, and a field that mirrors them is none to explain.
        return _Motions(None, None, None)


def _volume_changes(
    model: RegistrationModel,
    labels: Segmentation | None,
    inverse: DisplacementField,
    initial: npt.NDArray[np.float64],
) -> list[LabelChange]:
    """The integral of the motion's determinant over a label is the volume that the deformation gives it."""
    if labels is None or not labels.labels:
        return []
    box = bounding_box(labels.data > 0, margin=_DERIVATIVE_MARGIN)
    jacobian = jacobian_determinant(tissue_motion(inverse, initial, box))
    names = {label: name for name, label in model.labels.items()}
    inside = labels.data[box]
    return [
        LabelChange(
            label=label,
            name=names.get(label),
            change_percent=100 * (float(jacobian[inside == label].mean(dtype=np.float64)) - 1),
        )
        for label in labels.labels
    ]


def _latent_refinement_mm(model: RegistrationModel, found: Registration, components: int | None) -> float:
    """Between the fields of the latent difference before and after its refinement, over the model's grid."""
    before = found.moving_code - found.fixed_code
    if components is not None:
        before = model.basis.truncate(before, components).astype(np.float32)
    if np.array_equal(before, found.latent_difference):
        return 0.0
    changed = (model.decode(found.latent_difference) - model.decode(before)) * model.preprocessing.spacing
    return float(np.sqrt((changed.astype(np.float64) ** 2).sum(axis=-1).mean()))


def _sample(inside: npt.NDArray[np.bool_]) -> Box:
    """A box around what is true, with steps that leave few enough of its voxels and enough of those inside."""
    full = bounding_box(inside)
    step = ceil(cbrt(inside[full].size / _BOX_VOXELS))
    while step > 1 and inside[_stepped(full, step)].sum() < _FEWEST_INSIDE:
        step -= 1
    return _stepped(full, step)


def _stepped(box: Box, step: int) -> Box:
    x, y, z = (slice(part.start, part.stop, step) for part in box)
    return x, y, z
