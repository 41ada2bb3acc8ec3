import inspect
from pathlib import Path

import numpy as np
import pytest
import torch

from eigenwarp.errors import ComponentOutOfRangeError, EmptyVolumeError, ModelUnknownError, OptionInvalidError
from eigenwarp.field import field_from_model, warp_volume
from eigenwarp.model.bundle import load_bundle
from eigenwarp.model.precision import Precision
from eigenwarp.model.refine_field import FIELD_DEFAULTS
from eigenwarp.model.refine_latent import LATENT_DEFAULTS
from eigenwarp.model.refinement import RefinementConfig
from eigenwarp.model.registration import Refine, RegistrationModel
from eigenwarp.preprocess import Alignment
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.correlation import normalised_correlation
from tests.tiny_bundle import COMPONENTS, LABELS, SHAPE, blob, write_tiny_bundle

INTENSITIES = RefinementConfig(steps=10, learning_rate=0.1, overlap=0.0, similarity=1.0)


def subject(seed: int) -> Volume:
    return blob(seed)[0]


def tilted(volume: Volume, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Volume:
    """The same voxels in a scanner's oblique frame."""
    x, z = 0.3, -0.2
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = about_x @ about_z @ np.diag(spacing)
    affine[:3, 3] = (40, -25, 10)
    return Volume(volume.data, Geometry(volume.shape, affine))


def test_a_volume_onto_itself_stays(model: RegistrationModel) -> None:
    volume = subject(0)
    found = model.register(volume, volume)
    assert np.abs(found.field.displacement).max() < 1e-3
    assert np.abs(found.inverse_field.displacement).max() < 1e-3
    assert (found.latent_difference == 0).all()


def test_centring_alone_moves_a_copy_that_was_set_aside(model: RegistrationModel) -> None:
    fixed = subject(0)
    affine = fixed.geometry.affine.copy()
    affine[:3, 3] += (30, -20, 5)
    found = model.register(Volume(fixed.data, Geometry(fixed.shape, affine)), fixed)
    np.testing.assert_allclose(found.field.displacement - (30, -20, 5), 0, atol=1e-3)


def test_two_subjects_differ(model: RegistrationModel) -> None:
    found = model.register(subject(0), subject(1))
    assert np.abs(found.field.displacement).max() > 0.1
    np.testing.assert_allclose(found.latent_difference, found.moving_code - found.fixed_code, rtol=0, atol=1e-6)


def test_a_volumes_encoding_is_its_own_whatever_its_partner(model: RegistrationModel) -> None:
    a, b, c = subject(0), subject(1), subject(2)
    expected = model.encode(a)
    assert expected.dtype == np.float32
    model.codes.clear()
    for found in (model.register(a, b).moving_code, model.register(a, c).moving_code, model.register(c, a).fixed_code):
        np.testing.assert_array_equal(found, expected)
        model.codes.clear()


def test_a_volume_is_encoded_once(model: RegistrationModel) -> None:
    a, b = subject(0), subject(1)
    model.encode(a)
    model.register(a, b)
    model.register(b, a)
    model.segment(b)
    assert len(model.codes) == 2


def test_the_way_back_decodes_the_negative_difference(model: RegistrationModel) -> None:
    a, b = subject(0), subject(1)
    there, back = model.register(a, b), model.register(b, a)
    np.testing.assert_array_equal(there.latent_difference, -back.latent_difference)
    grids = model.preprocessing.grids_for_pair(b, a)
    expected = field_from_model(model.decode(-there.latent_difference), *grids, a.geometry)
    np.testing.assert_allclose(back.field.displacement, expected.displacement, atol=1e-4)


def test_the_inverse_field_leads_back(model: RegistrationModel) -> None:
    moving, fixed = subject(0), subject(1)
    found = model.register(moving, fixed)
    assert found.inverse_field.geometry.matches(moving.geometry)
    there_and_back = warp_volume(warp_volume(moving, found.field), found.inverse_field)
    inside = (slice(4, -4),) * 3
    # Two interpolations blur, so what returns is the moving volume but for its noise.
    assert np.corrcoef(there_and_back.data[inside].ravel(), moving.data[inside].ravel())[0, 1] > 0.9


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 1.3, 1.1)])
def test_an_oblique_or_anisotropic_fixed_image_keeps_its_grid(
    spacing: tuple[float, float, float], model: RegistrationModel
) -> None:
    moving, fixed = subject(0), tilted(subject(1), spacing)
    found = model.register(moving, fixed)
    assert found.field.geometry.matches(fixed.geometry)
    assert found.field.displacement.shape == (*fixed.shape, 3)
    assert found.inverse_field.geometry.matches(moving.geometry)
    assert np.isfinite(found.field.displacement).all()
    # The whole transform: it spans the distance between the two scanners' frames.
    middle = found.field.displacement[8, 8, 8]
    np.testing.assert_allclose(middle, moving.geometry.centre - fixed.geometry.centre, atol=6)


def test_turning_the_head_in_the_scanner_turns_the_field_with_it(model: RegistrationModel) -> None:
    moving, fixed = subject(0), subject(1)
    turned = tilted(fixed)
    straight, oblique = model.register(moving, fixed), model.register(moving, turned)
    np.testing.assert_array_equal(straight.fixed_code, oblique.fixed_code)
    reached = fixed.geometry.to_world(fixed.geometry.voxel_grid()) + straight.field.displacement
    again = turned.geometry.to_world(turned.geometry.voxel_grid()) + oblique.field.displacement
    np.testing.assert_allclose(reached, again, atol=1e-3)


def test_other_shapes_than_the_models_are_cut_and_padded(model: RegistrationModel) -> None:
    fixed = subject(1)
    cut = Volume(fixed.data[2:, :-3, 1:].copy(), fixed.geometry.cropped((2, 0, 1), (14, 13, 15)))
    found = model.register(subject(0), cut)
    assert found.field.geometry.matches(cut.geometry)
    assert found.predicted_fixed is not None
    assert found.predicted_fixed.geometry.matches(cut.geometry)


def test_every_voxel_of_a_field_without_refinement_is_the_decoded_difference(model: RegistrationModel) -> None:
    moving, fixed = subject(0), subject(1)
    for refine in (Refine.NONE, Refine.LATENT):
        found = model.register(moving, fixed, refine=refine)
        grids = model.preprocessing.grids_for_pair(moving, fixed)
        expected = field_from_model(model.decode(found.latent_difference), *grids, fixed.geometry)
        np.testing.assert_allclose(found.field.displacement, expected.displacement, atol=1e-4)
        assert found.refinement_residual_mm == 0


@pytest.mark.parametrize("refine", [Refine.LATENT, Refine.FIELD])
def test_refining_on_the_intensities_makes_them_agree_better(refine: Refine, model: RegistrationModel) -> None:
    moving, fixed = subject(0), subject(1)
    plain = model.register(moving, fixed)
    refined = model.register(moving, fixed, refine=refine, refinement=INTENSITIES)
    before, after = (normalised_correlation(warp_volume(moving, found.field), fixed) for found in (plain, refined))
    assert after > before + 0.01


@pytest.mark.parametrize("precision", [Precision.FLOAT32, Precision.BFLOAT16])
@pytest.mark.parametrize("refine", [Refine.LATENT, Refine.FIELD])
def test_refining_on_the_encoders_features_alone_moves_the_field(
    refine: Refine, precision: Precision, tiny_bundle: Path
) -> None:
    model = RegistrationModel(load_bundle(tiny_bundle), torch.device("cpu"), precision)
    moving, fixed = subject(0), subject(1)
    weights = RefinementConfig(steps=3, learning_rate=0.1, overlap=0.0, similarity=0.0, features=1.0)
    plain = model.register(moving, fixed)
    refined = model.register(moving, fixed, refine=refine, refinement=weights)
    assert np.isfinite(refined.field.displacement).all()
    assert np.abs(refined.field.displacement - plain.field.displacement).max() > 1e-2


def test_field_refinement_says_how_far_it_left_the_decoded_field(model: RegistrationModel) -> None:
    moving, fixed = subject(0), subject(1)
    # The field's refinement starts where the latent difference's ends.
    latent = model.register(moving, fixed, refine=Refine.LATENT)
    refined = model.register(moving, fixed, refine=Refine.FIELD, refinement=INTENSITIES)
    np.testing.assert_array_equal(refined.latent_difference, latent.latent_difference)
    moved = refined.field.displacement - latent.field.displacement
    expected = np.sqrt((moved.astype(np.float64) ** 2).sum(axis=-1).mean())
    assert refined.refinement_residual_mm == pytest.approx(expected, rel=1e-3)
    assert refined.refinement_residual_mm > 0.05


@pytest.mark.parametrize("refine", [Refine.LATENT, Refine.FIELD])
def test_refinement_has_defaults_and_none_of_them_changes_the_encodings(
    refine: Refine, model: RegistrationModel
) -> None:
    moving, fixed = subject(0), subject(1)
    plain, refined = model.register(moving, fixed), model.register(moving, fixed, refine=refine)
    assert not np.array_equal(plain.field.displacement, refined.field.displacement)
    np.testing.assert_array_equal(plain.moving_code, refined.moving_code)
    np.testing.assert_array_equal(plain.fixed_code, refined.fixed_code)
    assert "refine" in refined.timings
    assert FIELD_DEFAULTS.steps > 0
    assert LATENT_DEFAULTS.steps > 0


def test_refinement_leaves_the_network_as_it_was(model: RegistrationModel) -> None:
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    for refine in (Refine.LATENT, Refine.FIELD):
        model.register(subject(0), subject(1), refine=refine, refinement=INTENSITIES)
    assert all(torch.equal(value, before[name]) for name, value in model.network.state_dict().items())
    assert all(parameter.grad is None for parameter in model.network.parameters())


def test_no_labels_can_be_given() -> None:
    parameters = inspect.signature(RegistrationModel.register).parameters
    assert set(parameters) == {"self", "moving", "fixed", "refine", "alignment", "components", "refinement", "on_stage"}
    assert parameters["moving"].annotation is parameters["fixed"].annotation is Volume
    assert not any("label" in name for name in RefinementConfig.__dataclass_fields__)


@pytest.mark.parametrize("components", range(1, COMPONENTS + 1))
def test_what_is_decoded_can_be_cut_to_the_first_components(components: int, model: RegistrationModel) -> None:
    moving, fixed = subject(0), subject(1)
    whole = model.register(moving, fixed)
    cut = model.register(moving, fixed, components=components)
    expected = model.basis.truncate(whole.latent_difference, components)
    np.testing.assert_allclose(cut.latent_difference, expected, atol=1e-5)
    along = model.basis.project_difference(cut.latent_difference)
    np.testing.assert_allclose(along[components:], 0, atol=1e-4)


@pytest.mark.parametrize("components", [0, COMPONENTS + 1])
def test_components_that_the_basis_lacks_are_refused(components: int, model: RegistrationModel) -> None:
    with pytest.raises(ComponentOutOfRangeError, match=str(components)):
        model.register(subject(0), subject(1), components=components)


def test_decode_takes_differences_of_the_encodings_length_alone(model: RegistrationModel) -> None:
    length = model.network.architecture.code_length
    displacement = model.decode(np.zeros(length))
    assert displacement.shape == (*SHAPE, 3)
    assert displacement.dtype == np.float32
    for shape in ((length - 1,), (length + 1,), (1, length), ()):
        with pytest.raises(OptionInvalidError, match=rf"expected \({length},\)"):
            model.decode(np.zeros(shape))


def test_the_prediction_lies_on_the_volumes_own_grid(model: RegistrationModel) -> None:
    volume = tilted(subject(0), (0.8, 1.3, 1.1))
    found = model.segment(volume)
    assert isinstance(found, Segmentation)
    assert found.geometry.matches(volume.geometry)
    assert set(found.labels) <= set(LABELS.values())
    again = model.register(volume, subject(1)).predicted_moving
    assert again is not None
    np.testing.assert_array_equal(again.data, found.data)


def test_a_volume_without_contrast_is_refused(model: RegistrationModel) -> None:
    flat = Volume(np.full(SHAPE, 7, dtype=np.float32), subject(0).geometry)
    with pytest.raises(EmptyVolumeError):
        model.register(flat, subject(0))
    with pytest.raises(EmptyVolumeError):
        model.encode(flat)


@pytest.mark.parametrize("alignment", list(Alignment))
def test_every_alignment_gives_a_field_on_the_fixed_grid(alignment: Alignment, model: RegistrationModel) -> None:
    moving, fixed = subject(0), subject(1)
    found = model.register(moving, fixed, alignment=alignment)
    assert found.field.geometry.matches(fixed.geometry)
    assert {"encode", "decode", "field", "invert"} <= set(found.timings)
    assert all(seconds >= 0 for seconds in found.timings.values())


def test_a_model_is_loaded_by_folder_and_has_no_basis_where_none_was_exported(tmp_path: Path) -> None:
    model = RegistrationModel.load(str(write_tiny_bundle(tmp_path / "bare", "bare", with_basis=False)), "cpu")
    assert model.labels == LABELS
    with pytest.raises(ModelUnknownError, match="'bare' has no basis"):
        _ = model.basis
    found = model.register(subject(0), subject(1), refine=Refine.LATENT)
    assert np.isfinite(found.field.displacement).all()
    with pytest.raises(ModelUnknownError):
        model.register(subject(0), subject(1), components=1)


def test_half_precision_decodes_nearly_the_same_and_encodes_the_same(
    tiny_bundle: Path, model: RegistrationModel
) -> None:
    half = RegistrationModel(load_bundle(tiny_bundle), torch.device("cpu"), Precision.BFLOAT16)
    one, other = model.register(subject(0), subject(1)), half.register(subject(0), subject(1))
    np.testing.assert_array_equal(one.moving_code, other.moving_code)
    difference = one.field.displacement - other.field.displacement
    assert 0 < np.abs(difference).max() < 0.05 * np.abs(one.field.displacement).max() + 0.05
