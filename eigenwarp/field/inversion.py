"""The inverse of a field by a damped, preconditioned fixed-point iteration.

Sought is, for each target point y, the point x with φ(x) = x + u(x) = y; the inverse field is v(y) = x − y. The plain
iteration x ← x − (φ(x) − y) converges only where ∂u/∂x is a contraction, which a field that carries a rotation between
two oblique scans is not. So the step is multiplied by B⁻¹, B being the field's best affine approximation, and is
shortened for each point that it overshoots and lengthened for each that it brings closer slowly.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import OptionInvalidError
from eigenwarp.field.displacement import DisplacementField
from eigenwarp.field.interpolation import LinearInterpolator, affine_coordinates, slabs
from eigenwarp.volume import Geometry

_SMALLEST_STEP, _LARGEST_STEP = 1e-3, 3.0
# Below this the best affine approximation is too flat to divide by.
_SMALLEST_DETERMINANT = 0.05

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Inversion:
    """An inverse and how well it inverts.

    Args:
        field: target → the field's own side, on the target grid.
        mean_residual_mm, max_residual_mm: of |φ(x) − y| over the target grid.
        open_share: share of target voxels whose residual stayed above the tolerance: the field folds there, or bends
            too sharply for the iterations given.
        iterations: most iterations that any voxel took.
    """

    field: DisplacementField
    mean_residual_mm: float
    max_residual_mm: float
    open_share: float
    iterations: int


def invert(
    field: DisplacementField,
    target: Geometry,
    initial: DisplacementField | None = None,
    *,
    tolerance_mm: float = 1e-3,
    max_iterations: int = 100,
) -> DisplacementField:
    """The inverse of a field; ``solve_inverse`` gives its residual too, and says what the arguments are."""
    return solve_inverse(field, target, initial, tolerance_mm=tolerance_mm, max_iterations=max_iterations).field


def solve_inverse(
    field: DisplacementField,
    target: Geometry,
    initial: DisplacementField | None = None,
    *,
    tolerance_mm: float = 1e-3,
    max_iterations: int = 100,
) -> Inversion:
    """Invert a field on a grid of the moving side.

    Where the field folds several points may lead to one, or the iteration may find none; the best point found stands
    there, and ``open_share`` counts those that are none.

    Args:
        field: fixed → moving, continued outside its grid by the nearest displacement.
        target: the grid of the result, usually the moving image's.
        initial: a first guess of the inverse (moving → fixed) on any grid, such as the network's own backward field.
        tolerance_mm: a voxel is done when its residual is below this.
        max_iterations: of each voxel.

    Raises:
        OptionInvalidError: the tolerance or the iterations are not positive.
    """
    if not tolerance_mm > 0 or max_iterations < 1:
        raise OptionInvalidError(
            f"inversion needs a positive tolerance and at least one iteration, got {tolerance_mm} mm"
            f" and {max_iterations}"
        )
    forward = _Forward(field)
    guess = None if initial is None else _Forward(initial)
    displacement = np.empty((*target.shape, 3), dtype=np.float32)
    residuals, most = [], 0
    for planes in slabs(target.shape):
        y = affine_coordinates(target.affine, target.shape, planes)
        start = forward.affine_inverse(y) if guess is None else guess(y)
        x, residual, iterations = _solve(forward, y, start, tolerance_mm, max_iterations)
        displacement[planes] = (x - y).T.reshape(-1, *target.shape[1:], 3)
        residuals.append(residual)
        most = max(most, iterations)
    residual = np.concatenate(residuals)
    return Inversion(
        field=DisplacementField(displacement, target),
        mean_residual_mm=float(residual.mean()),
        max_residual_mm=float(residual.max()),
        open_share=float(np.mean(residual > tolerance_mm)),
        iterations=most,
    )


class _Forward:
    """φ at world points (3, N), and the inverse of its best affine approximation y ≈ centre' + B (x − centre)."""

    def __init__(self, field: DisplacementField) -> None:
        self._reader = LinearInterpolator(field.displacement)
        self._to_voxel = field.geometry.inverse_affine
        slope = _mean_gradient(field) @ self._to_voxel[:3, :3]
        matrix = np.eye(3) + slope
        if np.linalg.det(matrix) < _SMALLEST_DETERMINANT:
            matrix = np.eye(3)
        self.preconditioner = np.linalg.inv(matrix)
        self._centre = field.geometry.centre[:, None]
        self._shift = field.displacement.mean(axis=(0, 1, 2), dtype=np.float64)[:, None]

    def __call__(self, points: FloatArray) -> FloatArray:
        voxels = self._to_voxel[:3, :3] @ points + self._to_voxel[:3, 3:]
        return points + self._reader.at(voxels)

    def affine_inverse(self, points: FloatArray) -> FloatArray:
        inverse: FloatArray = self._centre + self.preconditioner @ (points - self._centre - self._shift)
        return inverse


def _mean_gradient(field: DisplacementField) -> FloatArray:
    """Least-squares slope of u over the grid, (3 world axes, 3 array axes), mm per voxel."""
    slope = np.zeros((3, 3))
    for axis, size in enumerate(field.geometry.shape):
        if size > 1:
            index = np.arange(size) - (size - 1) / 2
            others = tuple(other for other in range(3) if other != axis)
            slope[:, axis] = index @ field.displacement.mean(axis=others, dtype=np.float64) / (index @ index)
    return slope


def _solve(
    forward: _Forward, y: FloatArray, x: FloatArray, tolerance: float, max_iterations: int
) -> tuple[FloatArray, FloatArray, int]:
    """Solve φ(x) = y for points (3, N) from a start: the best x, its residuals (N,) in mm, the iterations taken."""
    x = x.copy()
    error = forward(x) - y
    residual: FloatArray = np.linalg.norm(error, axis=0)
    step = np.ones(len(residual))
    for iteration in range(max_iterations):
        active = np.flatnonzero((residual > tolerance) & (step > _SMALLEST_STEP))
        if not len(active):
            return x, residual, iteration
        trial = x[:, active] - step[active] * (forward.preconditioner @ error[:, active])
        trial_error = forward(trial) - y[:, active]
        trial_residual = np.linalg.norm(trial_error, axis=0)
        closer = trial_residual < residual[active]
        overshot = np.sum(trial_error * error[:, active], axis=0) < 0
        better = active[closer]
        x[:, better], error[:, better] = trial[:, closer], trial_error[:, closer]
        residual[better] = trial_residual[closer]
        # An error that changes sign shrinks the step even while it falls: near a factor of −1 it would fall forever.
        step[active[overshot | ~closer]] *= 0.6
        step[active[~overshot & closer]] *= 1.3
        np.minimum(step, _LARGEST_STEP, out=step)
    return x, residual, max_iterations
