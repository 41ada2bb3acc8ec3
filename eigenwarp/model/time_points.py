"""Two scans of one subject: do their coefficients differ by more than scanning again would change them?"""

import numpy as np
import numpy.typing as npt

from eigenwarp.errors import OptionInvalidError
from eigenwarp.explanation.change import Change, RepeatNoise
from eigenwarp.explanation.retest import Retest, scan_again
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume import Volume

FloatArray = npt.NDArray[np.float64]


def change_between(
    model: RegistrationModel,
    baseline: Volume,
    follow_up: Volume,
    *,
    components: int = 10,
    repeats: int = 15,
    how: Retest | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Change:
    """Test the difference of two scans against the scatter of imitated repeats of these two themselves.

    The scatter holds what ``Retest`` imitates and no more: no motion during the scan, no other scanner. It is the least
    that two scans differ by, so "no change" can be trusted more than "change".

    Args:
        components: the first so many coefficients are tested together; fewer find less, more need more repeats.
        repeats: imitated scans of each of the two.
        level: the share of unchanged pairs that stay below the limit.
        seed: of the imitation.

    Raises:
        ModelUnknownError: the model has no basis.
        OptionInvalidError: components that the basis does not have, or too few repeats for them.
        EigenwarpError: a volume that cannot be encoded.
    """
    basis, imitated = model.basis, how or Retest()
    if not 1 <= components <= basis.count:
        raise OptionInvalidError(f"{components} components asked for; the basis has {basis.count}")
    if 2 * (repeats - 1) < components:
        raise OptionInvalidError(f"{repeats} repeats of two scans are too few to know the scatter of {components}")

    def coefficients(volume: Volume) -> FloatArray:
        return np.asarray(basis.project(model.encode(volume))[:components], dtype=np.float64)

    generator = np.random.default_rng(seed)
    scans = [
        [coefficients(scan_again(volume, imitated, generator)) for _ in range(repeats)]
        for volume in (baseline, follow_up)
    ]
    return RepeatNoise.of_repeats(np.array(scans)).test(coefficients(follow_up) - coefficients(baseline), level)
