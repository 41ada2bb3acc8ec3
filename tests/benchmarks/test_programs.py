"""The other programs' fields arrive in our convention: a known translation is found, in the original world."""

import numpy as np
import pytest

from benchmarks.ants_syn import CORRELATION, DEFAULTS, AntsSyn, Stages, SynSettings
from benchmarks.elastix import Elastix
from benchmarks.method import Method
from benchmarks.subjects import Pair
from eigenwarp.field import DisplacementField, warp_segmentation
from eigenwarp.preprocess import Preprocessing
from eigenwarp.volume.overlap import dice
from tests.benchmarks.translation import MOVED_MM

OFFSET_MM = np.array([40, -25, 10])


def require_found(method: Method, pair: Pair, tolerance_mm: float) -> DisplacementField:
    found = method.register(pair)
    assert found.seconds > 0
    inside = pair.fixed_labels.data > 0
    mean = found.field.displacement[inside].mean(axis=0)
    np.testing.assert_allclose(mean, OFFSET_MM + MOVED_MM, atol=tolerance_mm)
    overlaps = dice(warp_segmentation(pair.moving_labels, found.field), pair.fixed_labels, (1, 2))
    # Nothing overlaps before. The bound tells a right convention from a wrong one; how well a program does varies with
    # its threads and the processor's arithmetic.
    assert min(overlaps.values()) > 0.7
    return found.field


@pytest.mark.parametrize(("stages", "settings"), [("SyN", DEFAULTS), ("SyN", CORRELATION), ("SyNOnly", CORRELATION)])
def test_ants(stages: Stages, settings: SynSettings, shifted_pair: Pair, preprocessing: Preprocessing) -> None:
    pytest.importorskip("ants")
    require_found(AntsSyn(stages, preprocessing, settings), shifted_pair, tolerance_mm=0.4)


def test_elastix(shifted_pair: Pair, preprocessing: Preprocessing) -> None:
    pytest.importorskip("itk")
    require_found(Elastix(preprocessing, resolutions=1), shifted_pair, tolerance_mm=0.4)
