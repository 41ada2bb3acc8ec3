import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates
from torch import Tensor

from eigenwarp.model.warp import compose, integrate_gradients, jacobian_determinant, sampling_grid, warp
from tests.model.networks import affine_displacement, normal

SHAPE = (7, 9, 11)
DOUBLE = torch.float64


def constant(*shift: float, shape: tuple[int, int, int] = SHAPE, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(shift, dtype=dtype).view(1, 3, 1, 1, 1).expand(1, 3, *shape).clone()


def smooth_displacement(shape: tuple[int, int, int], amplitude: float, seed: int = 0) -> Tensor:
    noise = np.random.default_rng(seed).normal(size=(3, *shape))
    smooth = np.stack([gaussian_filter(component, 3) for component in noise])
    return torch.from_numpy(smooth / np.abs(smooth).max() * amplitude)[None]


@pytest.mark.parametrize(("axis", "shift"), [(0, 1), (0, -2), (1, 3), (1, -1), (2, 2), (2, -4)])
@pytest.mark.parametrize("nearest", [False, True])
def test_a_whole_shift_along_one_axis_reads_that_many_voxels_further_along_it(
    axis: int, shift: int, nearest: bool
) -> None:
    volume = normal(1, 2, *SHAPE)
    moves = [0.0, 0.0, 0.0]
    moves[axis] = shift
    warped = warp(volume, constant(*moves), nearest=nearest)
    expected = torch.zeros_like(volume)
    n = SHAPE[axis]
    target = slice(max(0, -shift), n - max(0, shift))
    source = slice(max(0, shift), n - max(0, -shift))
    index: list[slice] = [slice(None)] * 5
    into = index.copy()
    index[axis + 2], into[axis + 2] = source, target
    expected[tuple(into)] = volume[tuple(index)]
    torch.testing.assert_close(warped, expected, rtol=0, atol=1e-5)


def test_a_zero_displacement_changes_nothing() -> None:
    volume = normal(1, 2, *SHAPE, dtype=DOUBLE)
    torch.testing.assert_close(warp(volume, constant(0, 0, 0, dtype=DOUBLE)), volume, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("border", "mode"), [(False, "constant"), (True, "nearest")])
def test_linear_interpolation_is_scipys(border: bool, mode: str) -> None:
    volume = normal(1, 1, *SHAPE, dtype=DOUBLE)
    displacement = 2.5 * normal(1, 3, *SHAPE, seed=1, dtype=DOUBLE)
    coordinates = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij")) + displacement[0].numpy()
    ours = warp(volume, displacement, border=border)[0, 0].numpy()
    # Beyond the outermost voxels torch fades to 0 over one voxel, where scipy's 'constant' stops at once.
    padded = np.pad(volume[0, 0].numpy(), 1) if mode == "constant" else volume[0, 0].numpy()
    theirs = map_coordinates(padded, coordinates + (mode == "constant"), order=1, mode=mode)  # type: ignore[call-overload]
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_nearest_makes_no_new_labels() -> None:
    labels = torch.randint(0, 5, (1, 1, *SHAPE), generator=torch.Generator().manual_seed(0)).float()
    displacement = normal(1, 3, *SHAPE, seed=1)
    assert set(warp(labels, displacement, nearest=True).unique().tolist()) <= {0.0, 1.0, 2.0, 3.0, 4.0}


def test_the_sampling_grid_spans_minus_one_to_one_with_the_axes_reversed() -> None:
    grid = sampling_grid(constant(0, 0, 0))
    assert grid.shape == (1, *SHAPE, 3)
    torch.testing.assert_close(grid[0, 0, 0, 0], torch.tensor([-1.0, -1.0, -1.0]))
    torch.testing.assert_close(grid[0, -1, -1, -1], torch.tensor([1.0, 1.0, 1.0]))
    torch.testing.assert_close(grid[0, -1, 0, 0], torch.tensor([-1.0, -1.0, 1.0]))


def test_a_field_on_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="different grids"):
        warp(normal(1, 1, *SHAPE), torch.zeros(1, 3, 7, 9, 10))


def test_composing_shifts_adds_them() -> None:
    first, second = constant(1, -2, 0.5), constant(0.25, 1, -3)
    torch.testing.assert_close(compose(first, second), first + second)


def test_composing_affine_displacements_multiplies_their_matrices() -> None:
    a = torch.eye(3, dtype=DOUBLE) + 0.05 * normal(3, 3, seed=1, dtype=DOUBLE)
    b = torch.eye(3, dtype=DOUBLE) + 0.05 * normal(3, 3, seed=2, dtype=DOUBLE)
    composed = compose(affine_displacement(a, SHAPE), affine_displacement(b, SHAPE))
    # d(i) = b(i) + a(i + b(i)): the volume is read at A·B·i.
    inner = (slice(None), slice(None), slice(2, -2), slice(2, -2), slice(3, -3))
    expected = affine_displacement(a @ b, SHAPE)
    torch.testing.assert_close(composed[inner], expected[inner], rtol=0, atol=1e-9)


def test_warping_by_a_composition_is_warping_twice() -> None:
    shape = (20, 20, 20)
    axes = torch.meshgrid(*[torch.linspace(-1, 1, n, dtype=DOUBLE) for n in shape], indexing="ij")
    volume = torch.exp(-4 * torch.stack(axes).square().sum(dim=0))[None, None]
    first, second = constant(2, 0, 0, shape=shape, dtype=DOUBLE), smooth_displacement(shape, 1.5)
    once, twice = warp(volume, compose(first, second)), warp(warp(volume, first), second)
    inner = (..., slice(3, -3), slice(3, -3), slice(3, -3))
    difference = (once - twice)[inner].abs().max()
    assert difference < 1e-9
    assert (warp(warp(volume, second), first) - twice)[inner].abs().max() > 0.01


@pytest.mark.parametrize("seed", range(3))
def test_the_jacobian_determinant_of_an_affine_map_is_its_matrixs(seed: int) -> None:
    matrix = torch.eye(3, dtype=DOUBLE) + 0.6 * normal(3, 3, seed=seed, dtype=DOUBLE)
    offset = normal(3, seed=9, dtype=DOUBLE)
    determinant = jacobian_determinant(affine_displacement(matrix, SHAPE, offset))
    assert determinant.shape == (1, *SHAPE)
    torch.testing.assert_close(determinant, torch.linalg.det(matrix).expand(1, *SHAPE), rtol=0, atol=1e-9)


def test_a_mirrored_axis_has_a_negative_determinant() -> None:
    mirrored = affine_displacement(torch.diag(torch.tensor([1.0, -1.0, 1.0])), SHAPE)
    torch.testing.assert_close(jacobian_determinant(mirrored), -torch.ones(1, *SHAPE))


def test_gradients_of_one_integrate_to_the_identity() -> None:
    assert (integrate_gradients(torch.ones(2, 3, *SHAPE), SHAPE) == 0).all()
    assert (integrate_gradients(torch.ones(2, 3, 4, 5, 6), (8, 10, 12)) == 0).all()


def test_constant_gradients_stretch_each_axis_by_their_own_factor() -> None:
    factors = (0.5, 1.25, 1.8)
    displacement = integrate_gradients(constant(*factors), SHAPE)
    for k, factor in enumerate(factors):
        index = torch.arange(SHAPE[k], dtype=torch.float32)
        view = [1, 1, 1]
        view[k] = -1
        # φ_k(i) = g (i + 1) − 1, the cumulative sum from the grid's edge.
        expected = ((factor - 1) * (index + 1)).view(view).expand(SHAPE)
        torch.testing.assert_close(displacement[0, k], expected)


def test_gradients_on_half_the_grid_give_the_same_linear_map() -> None:
    factors = (0.5, 1.25, 1.8)
    coarse = integrate_gradients(constant(*factors, shape=(4, 5, 6)), (8, 10, 12))
    fine = integrate_gradients(constant(*factors, shape=(8, 10, 12)), (8, 10, 12))
    torch.testing.assert_close(coarse, fine)


def test_the_integral_has_the_gradients_as_its_differences() -> None:
    gradients = 2 * torch.sigmoid(normal(2, 3, *SHAPE, dtype=DOUBLE))
    displacement = integrate_gradients(gradients, SHAPE)
    for k in range(3):
        inner = gradients[:, k].narrow(k + 1, 1, SHAPE[k] - 1)
        torch.testing.assert_close(displacement[:, k].diff(dim=k + 1) + 1, inner)


def test_gradients_are_right() -> None:
    shape = (3, 4, 2)
    volume = normal(1, 2, *shape, dtype=DOUBLE).requires_grad_()
    # Away from whole voxels, where linear interpolation has a kink.
    displacement = (
        torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(1), dtype=DOUBLE) * 0.6 + 0.2
    ) * 0.7
    displacement.requires_grad_()
    assert torch.autograd.gradcheck(warp, (volume, displacement))
    assert torch.autograd.gradcheck(jacobian_determinant, (displacement,))
    gradients = (0.2 + 1.5 * torch.rand(1, 3, *shape, dtype=DOUBLE)).requires_grad_()
    assert torch.autograd.gradcheck(lambda g: integrate_gradients(g, (6, 8, 4)), (gradients,))
