"""How many components a response is spread over."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def participation_ratio(response: FloatArray) -> npt.NDArray[np.float64]:
    """(Σ e_j)² / Σ e_j² with the energies e_j = Δa_j²: 1 where one component answers, K where all do alike.

    Args:
        response: Δa, (…, K), in any unit.

    Returns:
        (…), 1 to K; NaN where nothing answers.
    """
    energy = np.asarray(response, dtype=np.float64) ** 2
    return _ratio(energy.sum(axis=-1) ** 2, (energy**2).sum(axis=-1))


def top_share(response: FloatArray) -> npt.NDArray[np.float64]:
    """The strongest component's share of the energy, max e_j / Σ e_j.

    Args:
        response: Δa, (…, K), in any unit.

    Returns:
        (…), 1/K to 1; NaN where nothing answers.
    """
    energy = np.asarray(response, dtype=np.float64) ** 2
    return _ratio(energy.max(axis=-1), energy.sum(axis=-1))


def held_share(response: FloatArray, difference: FloatArray) -> npt.NDArray[np.float64]:
    """Share of a latent difference's energy that the components hold, Σ Δa_j² / |Δz|².

    Args:
        response: Δa along orthonormal directions, (…, K).
        difference: Δz, (…, D).

    Returns:
        (…), 0 to 1; NaN where there is no difference.
    """
    inside = (np.asarray(response, dtype=np.float64) ** 2).sum(axis=-1)
    return _ratio(inside, (np.asarray(difference, dtype=np.float64) ** 2).sum(axis=-1))


def _ratio(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    part, whole = np.asarray(part), np.asarray(whole)
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0))
