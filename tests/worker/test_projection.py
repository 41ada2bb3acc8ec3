"""Coefficients of a volume."""

import numpy as np
import pytest

from eigenwarp.errors import EmptyVolumeError, ModelUnknownError
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.volume import Volume
from tests.tiny_bundle import blob, write_tiny_bundle
from worker.projection import project_volume


def test_training_subjects_get_the_coefficients_that_the_basis_was_fitted_to(model: RegistrationModel) -> None:
    for seed in (0, 3):
        projection = project_volume(model, blob(seed)[0])
        assert projection.coefficients == pytest.approx(model.basis.coefficients[seed].tolist(), rel=1e-3, abs=1e-3)


def test_scores_are_coefficients_in_standard_deviations(model: RegistrationModel) -> None:
    projection = project_volume(model, blob(11)[0])
    expected = [a / model.basis.standard_deviation(k) for k, a in enumerate(projection.coefficients, start=1)]
    assert projection.z_scores == pytest.approx(expected)
    assert projection.mahalanobis == pytest.approx(np.linalg.norm(expected), rel=1e-5)
    assert 0 < projection.reconstruction_residual < 1


def test_gain_and_offset_of_the_scanner_leave_the_coefficients_alone(model: RegistrationModel) -> None:
    volume, _ = blob(5)
    other = Volume(0.25 * volume.data + 40, volume.geometry)
    found, expected = (project_volume(model, v).coefficients for v in (other, volume))
    assert found == pytest.approx(expected, abs=2e-3)


def test_an_empty_volume_and_a_model_without_basis_are_refused(
    model: RegistrationModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    volume, _ = blob(5)
    with pytest.raises(EmptyVolumeError):
        project_volume(model, Volume(np.zeros(volume.shape), volume.geometry))
    bare = write_tiny_bundle(tmp_path_factory.mktemp("bare"), "bare", with_basis=False)
    with pytest.raises(ModelUnknownError, match="no basis"):
        project_volume(RegistrationModel.load(str(bare), device="cpu"), volume)
