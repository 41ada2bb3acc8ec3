"""When a result comes with a warning."""

import numpy as np

from eigenwarp.field import DisplacementField, InverseConsistency, jacobian_determinant
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.preprocess import Preprocessing
from eigenwarp.volume import Geometry
from worker.notices import EXTREME_FIELD, OUT_OF_DOMAIN, domain_notices, field_notices
from worker.projection import describe_domain

GRID = Geometry.from_spacing((24, 24, 24))
PREPROCESSING = Preprocessing(shape=(24, 24, 24))
EXACT = InverseConsistency(mean_mm=0, p95_mm=0, max_mm=0, inside_share=1)


def notices(displacement: np.ndarray, consistency: InverseConsistency = EXACT) -> list[str]:
    field = DisplacementField(displacement.astype(np.float32), GRID)
    identity = DisplacementField.identity(GRID)
    found = field_notices(field, identity, jacobian_determinant(field), consistency, PREPROCESSING)
    assert {notice.code for notice in found} <= {EXTREME_FIELD}
    return [notice.detail for notice in found]


def test_a_gentle_field_needs_no_warning() -> None:
    assert notices(np.full((24, 24, 24, 3), 1.0)) == []


def test_a_long_a_folding_and_an_inconsistent_field_are_named() -> None:
    assert "reaches 7.0 mm" in notices(np.full((24, 24, 24, 3), [7.0, 0, 0]))[0]
    folding = np.zeros((24, 24, 24, 3))
    folding[8:16, ..., 0] = -2 * np.arange(8)[:, None, None] / 4
    folding[10] = 3
    assert any("folds" in detail for detail in notices(folding))
    inconsistent = InverseConsistency(mean_mm=1, p95_mm=2.5, max_mm=9, inside_share=1)
    assert "2.50 mm" in notices(np.zeros((24, 24, 24, 3)), inconsistent)[0]


def test_an_encoding_unlike_any_in_training_is_out_of_the_domain(model: RegistrationModel) -> None:
    basis = model.basis
    far = basis.mean + 50 * basis.standard_deviation(1) * basis.direction(1)
    found = domain_notices("volume", describe_domain(basis, far), basis)
    assert [notice.code for notice in found] == [OUT_OF_DOMAIN]
    assert "50.0 standard deviations" in found[0].detail


def test_a_training_subjects_own_encoding_is_in_the_domain(model: RegistrationModel) -> None:
    basis = model.basis
    nearest = basis.coefficients[np.argmin((basis.coefficients**2 / basis.variances).sum(axis=1))]
    assert domain_notices("volume", describe_domain(basis, basis.reconstruct(nearest)), basis) == []
