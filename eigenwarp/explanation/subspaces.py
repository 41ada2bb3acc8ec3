"""Whether two bases say the same."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import subspace_angles
from scipy.optimize import linear_sum_assignment

from eigenwarp.errors import OptionInvalidError

FloatArray = npt.NDArray[np.float64]


def principal_angles(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """Between the spaces that two sets of rows span, (min(K, L),), degrees, ascending.

    0 for a direction that both spaces hold, 90 for one that the other has nothing of. The rows need not be orthonormal.

    Args:
        first, second: (K, D) and (L, D).

    Raises:
        OptionInvalidError: rows of different lengths.
    """
    a, b = _rows(first), _rows(second)
    if a.shape[1] != b.shape[1]:
        raise OptionInvalidError(f"subspaces of {a.shape[1]} and {b.shape[1]} dimensions have no angles between them")
    return np.degrees(np.sort(subspace_angles(a.T, b.T)))


def subspace_overlap(angles: npt.ArrayLike) -> float:
    """Mean cos² of principal angles (degrees): the share of one space's energy that the other holds, 0 to 1."""
    return float((np.cos(np.radians(np.asarray(angles, dtype=np.float64))) ** 2).mean())


class Matched(NamedTuple):
    """A pairing of two sets of components.

    Args:
        partner: for each of the first set, which of the second, (K,).
        similarity: of each pair, |cos|, 0 to 1, (K,).
    """

    partner: npt.NDArray[np.intp]
    similarity: FloatArray


def match_components(first: npt.ArrayLike, second: npt.ArrayLike) -> Matched:
    """Pair the components of two sets one to one so that the sum of |cos| is as large as possible.

    A component's sign is arbitrary, so opposite directions are the same.

    Args:
        first, second: (K, D) and (L, D), K ≤ L, of any lengths but 0.

    Raises:
        OptionInvalidError: more components in the first set, rows of different lengths, or a row of zeros.
    """
    a, b = _rows(first), _rows(second)
    if a.shape[1] != b.shape[1] or len(a) > len(b):
        raise OptionInvalidError(f"components {a.shape} cannot be matched with {b.shape}")
    lengths = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    if min(lengths[0].min(), lengths[1].min()) == 0:
        raise OptionInvalidError("a component of length 0 has no direction to match")
    cosines = np.abs((a / lengths[0][:, None]) @ (b / lengths[1][:, None]).T)
    rows, partner = linear_sum_assignment(-cosines)
    return Matched(partner, np.minimum(cosines[rows, partner], 1.0))


def canonical_correlations(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    held_apart: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> FloatArray:
    """Of two sets of scores of the same subjects, (min(K, L),), 0 to 1.

    What two networks say about the same subjects can be compared although their latent spaces have nothing in common.

    Args:
        first, second: scores, (N, K) and (N, L).
        held_apart: scores of other subjects, on which the directions found are judged; without them the correlations
            are those of the fit, which approach 1 as K + L approaches N whatever the scores.

    Raises:
        OptionInvalidError: other numbers of subjects, or no more subjects than scores.
    """
    a, b = _rows(first), _rows(second)
    if len(a) != len(b) or len(a) <= max(a.shape[1], b.shape[1]):
        raise OptionInvalidError(f"scores {a.shape} and {b.shape} give no canonical correlations")
    (whitened_a, to_a), (whitened_b, to_b) = _whiten(a), _whiten(b)
    left, correlations, right = np.linalg.svd(whitened_a.T @ whitened_b, full_matrices=False)
    if held_apart is None:
        return np.clip(correlations, 0.0, 1.0)
    new_a = (_rows(held_apart[0]) - a.mean(axis=0)) @ to_a @ left
    new_b = (_rows(held_apart[1]) - b.mean(axis=0)) @ to_b @ right.T
    found = [np.corrcoef(x, y)[0, 1] for x, y in zip(new_a.T, new_b.T, strict=True)]
    return np.asarray(np.abs(np.nan_to_num(np.array(found))))


def _whiten(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Orthonormal columns of the centred scores, and the matrix that leads to them."""
    u, s, v = np.linalg.svd(scores - scores.mean(axis=0), full_matrices=False)
    kept = s > 1e-10 * s[0]
    return u[:, kept], v[kept].T / s[kept]


def _rows(values: npt.ArrayLike) -> FloatArray:
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or not len(rows):
        raise OptionInvalidError(f"expected rows, (K, D), got an array of shape {rows.shape}")
    return rows
