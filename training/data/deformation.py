"""Smooth random deformations whose displacement is known at every point, not only at voxels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Deformation:
    """A sum of Gaussian bumps: u(x) = Σ a_k exp(−|x − c_k|² / 2σ²), world mm.

    Args:
        centres: c_k, (K, 3) mm.
        amplitudes: a_k, (K, 3) mm.
        width: σ, mm.
    """

    centres: npt.NDArray[np.float64]
    amplitudes: npt.NDArray[np.float64]
    width: float

    @classmethod
    def random(
        cls, generator: np.random.Generator, extent: npt.NDArray[np.float64], *, bumps: int = 8, steepness: float = 0.6
    ) -> "Deformation":
        """A deformation within a box of half-width ``extent`` (3,) mm around the world's origin.

        Args:
            bumps: how many Gaussians, their centres anywhere in the box.
            steepness: the largest Frobenius norm of ∂u/∂x in the box. Below 1 the map x + u(x) cannot fold there.
        """
        width = float(extent.min()) / 2
        unscaled = cls(generator.uniform(-extent, extent, size=(bumps, 3)), generator.normal(size=(bumps, 3)), width)
        axes = [np.linspace(-e, e, 2 * int(np.ceil(4 * e / width)) + 1) for e in extent]
        lattice = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        steepest = float(np.linalg.norm(unscaled.gradient(lattice), axis=(-2, -1)).max())
        return cls(unscaled.centres, unscaled.amplitudes * (steepness / steepest), width)

    def gradient(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """∂u_i/∂x_j at world points (…, 3), shape (…, 3, 3)."""
        result = np.zeros((*points.shape, 3))
        for centre, amplitude in zip(self.centres, self.amplitudes, strict=True):
            offset = points - centre
            height = np.exp(-(offset**2).sum(axis=-1) / (2 * self.width**2)) / self.width**2
            result -= height[..., None, None] * amplitude[:, None] * offset[..., None, :]
        return result

    def displacement(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """u at world points (…, 3), mm."""
        result = np.zeros_like(points)
        for centre, amplitude in zip(self.centres, self.amplitudes, strict=True):
            distance = ((points - centre) ** 2).sum(axis=-1, keepdims=True)
            result += amplitude * np.exp(-distance / (2 * self.width**2))
        return result
