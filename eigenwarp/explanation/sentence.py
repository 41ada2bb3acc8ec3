"""A registration in one line that a radiologist can read."""

from collections.abc import Mapping, Sequence

import numpy as np

from eigenwarp.explanation.description import describe_motion
from eigenwarp.field.motion import Motion

# Components with less of the difference are not named, and never more than this many are.
SMALLEST_SHARE, MOST_NAMED = 0.05, 3


def describe_registration(
    shares: Sequence[float],
    outside: float,
    motion: Motion | None,
    label_changes: Mapping[str, float] | None = None,
) -> str:
    """One line on what a registration does and which components stand for it.

    Args:
        shares: of the latent difference, component 1 first.
        outside: the share that the basis does not hold.
        motion: of the moving anatomy beyond the initial alignment; None where too little anatomy is known.
        label_changes: each label's change of volume under the deformation, in percent.

    Returns:
        Such as "Mostly a translation of 1.2 mm towards anterior; the head grows by 4 %. Of the latent difference:
        component 1 52 %, component 3 10 %; outside the basis 21 %."
    """
    if not any(shares) and not outside:
        return "The two encodings are the same: nothing moves."
    largest = np.argsort(-np.asarray(shares), kind="stable")[:MOST_NAMED]
    named = [f"component {k + 1} {100 * shares[k]:.0f} %" for k in largest if shares[k] >= SMALLEST_SHARE]
    holds = ", ".join(named) if named else f"no component {100 * SMALLEST_SHARE:.0f} %"
    does = "" if motion is None else f"{_capital(describe_motion(motion, label_changes))}. "
    return f"{does}Of the latent difference: {holds}; outside the basis {100 * outside:.0f} %."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
