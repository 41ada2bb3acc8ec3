import numpy as np
import torch

from eigenwarp.model import RegistrationNetwork
from eigenwarp.preprocess import Preprocessing
from tests.training.cohorts import SHAPE, balls, small_config
from training.template import make_template
from training.tensors import PreparedCohort

PREPROCESSING = Preprocessing(shape=SHAPE, spacing=(1.0, 2.0, 1.5))


def network(gain: float = 1.0) -> RegistrationNetwork:
    torch.manual_seed(0)
    made = RegistrationNetwork(small_config().architecture)
    with torch.no_grad():
        made.decoder.to_gradients.weight *= gain
    return made


def test_where_nothing_moves_the_template_is_the_mean_and_the_likeliest_label() -> None:
    cohort = balls(5)
    template, labels = make_template(network(gain=0), cohort, PREPROCESSING, (1, 2), batch=2)
    np.testing.assert_allclose(template.data, cohort.images.mean(dim=0)[0].numpy(), atol=1e-5)
    counts = torch.stack([(cohort.labels == label).sum(dim=0) for label in range(3)])
    likeliest = counts.argmax(dim=0).numpy()
    ties = (counts == counts.amax(dim=0)).sum(dim=0).numpy() > 1
    np.testing.assert_array_equal(labels.data[~ties], likeliest[~ties])
    assert set(np.unique(labels.data)) == {0, 1, 2}


def test_the_template_of_equal_subjects_is_that_subject() -> None:
    one = balls(1)
    cohort = PreparedCohort(("a", "b", "c"), one.images.repeat(3, 1, 1, 1, 1), one.labels.repeat(3, 1, 1, 1))
    template, labels = make_template(network(gain=100), cohort, PREPROCESSING, (1, 2))
    np.testing.assert_allclose(template.data, one.images[0, 0].numpy(), atol=1e-2)
    assert (labels.data == one.labels[0].numpy()).mean() > 0.99


def test_labels_carry_the_segmentations_values() -> None:
    _, labels = make_template(network(), balls(4), PREPROCESSING, (7, 3))
    _, places = make_template(network(), balls(4), PREPROCESSING, (1, 2))
    assert set(np.unique(labels.data)) == {0, 3, 7}
    np.testing.assert_array_equal(labels.data == 7, places.data == 1)
    np.testing.assert_array_equal(labels.data == 3, places.data == 2)


def test_the_template_lies_about_the_worlds_origin_on_the_models_grid() -> None:
    template, labels = make_template(network(), balls(3), PREPROCESSING, (1, 2))
    assert template.shape == SHAPE
    assert template.geometry.spacing == PREPROCESSING.spacing
    np.testing.assert_allclose(template.geometry.centre, 0, atol=1e-6)
    assert labels.geometry.matches(template.geometry)
    assert 0 <= template.data.min() < template.data.max() <= 1


def test_the_fields_are_used() -> None:
    still, moved = (make_template(network(gain), balls(4), PREPROCESSING, (1, 2))[0].data for gain in (0.0, 300.0))
    assert np.abs(still - moved).max() > 0.01


def test_the_batch_size_does_not_matter() -> None:
    one, other = (make_template(network(30), balls(5), PREPROCESSING, (1, 2), batch=n)[0].data for n in (1, 5))
    np.testing.assert_allclose(one, other, atol=2e-3)
