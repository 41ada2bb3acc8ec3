"""How smooth and how invertible a displacement is."""

from torch import Tensor

from eigenwarp.model.warp import jacobian_determinant


def roughness(displacement: Tensor) -> Tensor:
    """Mean square of all nine first differences of the displacement (L_smooth).

    Args:
        displacement: (B, 3, X, Y, Z), voxels.

    Returns:
        (B,); 0 for a translation.
    """
    total = sum((displacement.diff(dim=axis) ** 2).mean(dim=(1, 2, 3, 4)) for axis in (2, 3, 4))
    return total  # type: ignore[return-value]  # the sum of three tensors


def folding_penalty(displacement: Tensor) -> Tensor:
    """Mean of max(0, −det J) (L_jac): what the determinant lacks to be positive.

    Returns:
        (B,).
    """
    return (-jacobian_determinant(displacement)).clamp_min(0).mean(dim=(1, 2, 3))
