"""What a field does, said in elementary motions: translation, rotation, scaling, shear and the rest.

A least-squares affine fit u(x) ≈ t + G (x − c) around the region's centre c leaves a rest that is orthogonal to it, so
the energies (mean squares of the displacement) of t, of G and of the rest add up. The linear map F = I + G = R S is
split by the polar decomposition into a rotation R and a stretch S, and the stretch into an isotropic scaling
s = det(S)^⅓ and a stretch that keeps volumes, called shear here:

    G x' = (R − I) x' + (s − 1) R x' + R (S − s I) x',    x' = x − c.

These three are not orthogonal in a region that is longer in one direction than in another. G's energy is therefore
divided among them in proportion to their own energies; a pure motion of one kind gets all of it. A simple shear
(planes gliding over one another) is, as in mechanics, half a rotation and half a stretch.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import polar
from scipy.spatial.transform import Rotation

from eigenwarp.errors import FieldInvalidError
from eigenwarp.field.displacement import DisplacementField

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Motion:
    """A field's elementary motions over a region.

    Args:
        translation_share, rotation_share, scaling_share, shear_share, rest_share: of the mean squared displacement;
            they add up to 1, or are all 0 where nothing moves.
        translation_mm: displacement of the region's centre, world RAS.
        rotation_degrees: of the best affine fit, 0 to 180 …
        rotation_axis: … about this unit vector, world RAS, right-handed; (0, 0, 0) without rotation.
        scaling: s, the isotropic factor; its cube is the affine fit's change of volume.
        rms_mm: root mean square of the displacement.
        stretch: of the shear's principal stretches the one furthest from 1: lengths along …
        stretch_axis: … this unit vector grow by it beyond the scaling, world RAS before the rotation; (0, 0, 0)
            without shear.
    """

    translation_share: float
    rotation_share: float
    scaling_share: float
    shear_share: float
    rest_share: float
    translation_mm: Vector
    rotation_degrees: float
    rotation_axis: Vector
    scaling: float
    rms_mm: float
    stretch: float = 1.0
    stretch_axis: Vector = (0.0, 0.0, 0.0)


def decompose_motion(field: DisplacementField, region: npt.NDArray[np.bool_] | None = None) -> Motion:
    """Split a field, read as the motion x → x + u(x), into elementary motions.

    A registration's field leads from the fixed to the moving side; what happens to the anatomy of the moving image is
    the motion of the *inverse* field.

    Args:
        region: the voxels that count, (X, Y, Z); the whole grid by default.

    Raises:
        FieldInvalidError: the region is of another shape, or its voxels lie in one plane, so that no affine is fixed.
    """
    geometry = field.geometry
    if region is not None and region.shape != geometry.shape:
        raise FieldInvalidError(f"a region of shape {region.shape} on a field of shape {geometry.shape}")
    voxels = np.argwhere(np.ones(geometry.shape, dtype=np.bool_) if region is None else region)
    displacement = field.displacement[tuple(voxels.T)].astype(np.float64)
    points = geometry.to_world(voxels)
    x = points - points.mean(axis=0) if len(points) else points
    if len(x) < 4 or np.linalg.matrix_rank(x, tol=1e-6 * float(np.abs(x).max())) < 3:
        raise FieldInvalidError(f"{len(x)} voxels that span no volume do not fix an affine motion")
    translation = displacement.mean(axis=0)
    gradient = np.linalg.lstsq(x, displacement - translation, rcond=None)[0].T
    rotation, stretch = polar(np.eye(3) + gradient)
    if np.linalg.det(rotation) < 0:
        raise FieldInvalidError("the field's affine part mirrors the region")
    scaling = float(np.cbrt(np.linalg.det(stretch)))
    linear_parts = (rotation - np.eye(3), (scaling - 1) * rotation, rotation @ (stretch - scaling * np.eye(3)))
    own = np.array([_energy(x @ part.T) for part in linear_parts])
    total, linear = _energy(displacement), _energy(x @ gradient.T)
    divided = own * (linear / own.sum()) if own.sum() else own
    shares = np.array([float(translation @ translation), *divided, 0.0])
    shares[4] = max(total - shares.sum(), 0.0)
    # Rounding alone must not be read as a motion: below a thousandth of a micrometre nothing moves.
    shares = shares / shares.sum() if total > 1e-12 else np.zeros(5)
    turn = Rotation.from_matrix(rotation).as_rotvec()
    angle = float(np.linalg.norm(turn))
    furthest, axis = _principal_stretch(stretch / scaling)
    return Motion(
        translation_share=float(shares[0]),
        rotation_share=float(shares[1]),
        scaling_share=float(shares[2]),
        shear_share=float(shares[3]),
        rest_share=float(shares[4]),
        translation_mm=_vector(translation),
        rotation_degrees=float(np.degrees(angle)),
        rotation_axis=_vector(turn / angle if angle > 1e-9 else np.zeros(3)),
        scaling=scaling,
        rms_mm=float(np.sqrt(total)),
        stretch=furthest,
        stretch_axis=_vector(axis if abs(furthest - 1) > 1e-9 else np.zeros(3)),
    )


def _principal_stretch(stretch: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
    """The principal stretch furthest from 1, by ratio, and its axis; of a symmetric positive matrix (3, 3)."""
    values, axes = np.linalg.eigh(stretch)
    place = int(np.abs(np.log(values)).argmax())
    return float(values[place]), axes[:, place]


def _energy(displacement: npt.NDArray[np.float64]) -> float:
    """Mean square of displacements (N, 3), mm²."""
    return float((displacement**2).sum(axis=1).mean())


def _vector(values: npt.NDArray[np.float64]) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
