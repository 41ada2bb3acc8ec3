"""Two scans of one subject against imitated repeats, with a small untrained network."""

from pathlib import Path

import numpy as np
import pytest

from eigenwarp.errors import OptionInvalidError
from eigenwarp.explanation.retest import Retest, scan_again
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.model.time_points import change_between
from tests.tiny_bundle import COMPONENTS, blob
from tests.tiny_bundle import tiny_bundle as tiny_bundle

BASELINE, _ = blob(1)
QUIET = Retest(shift_mm=0.05, rotation_degrees=0.1, spacing=0.01, noise=0.01, gain=0.02)


@pytest.fixture(scope="module")
def loaded(tiny_bundle: Path) -> RegistrationModel:
    return RegistrationModel.load(str(tiny_bundle), device="cpu")


def test_another_scan_of_an_unchanged_subject_is_seldom_called_changed(loaded: RegistrationModel) -> None:
    generator = np.random.default_rng(0)
    scans = [scan_again(BASELINE, QUIET, generator) for _ in range(12)]
    found = [
        change_between(loaded, first, second, components=COMPONENTS, repeats=8, how=QUIET)
        for first, second in zip(scans[::2], scans[1::2], strict=True)
    ]
    assert sum(change.exceeds for change in found) <= 2


def test_another_subject_is_called_changed(loaded: RegistrationModel) -> None:
    found = change_between(loaded, BASELINE, blob(2)[0], components=COMPONENTS, repeats=8, how=QUIET)
    assert found.exceeds
    assert found.p_value < 1e-3
    assert found.z.shape == (COMPONENTS,)


def test_components_and_repeats_that_do_not_fit_are_refused(loaded: RegistrationModel) -> None:
    with pytest.raises(OptionInvalidError, match=f"the basis has {COMPONENTS}"):
        change_between(loaded, BASELINE, BASELINE, components=COMPONENTS + 1)
    with pytest.raises(OptionInvalidError, match="2 repeats"):
        change_between(loaded, BASELINE, BASELINE, components=COMPONENTS, repeats=2)
