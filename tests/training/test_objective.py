import pytest
import torch

from eigenwarp.model import Displacements, RegistrationNetwork
from tests.training.cohorts import balls, small_config
from training.losses import segmentation_loss, symmetric_terms
from training.objective import Objective, next_in_cycle


@pytest.mark.parametrize(
    ("batch", "cycle", "expected"),
    [(2, 2, [1, 0]), (4, 2, [1, 0, 3, 2]), (4, 4, [1, 2, 3, 0]), (6, 3, [1, 2, 0, 4, 5, 3])],
)
def test_each_place_is_followed_within_its_cycle(batch: int, cycle: int, expected: list[int]) -> None:
    assert next_in_cycle(batch, cycle).tolist() == expected


def test_a_batch_costs_what_its_pairs_cost_one_by_one() -> None:
    config = small_config(optimiser={"batch": 4, "cycle": 4})
    torch.manual_seed(0)
    network = RegistrationNetwork(config.architecture)
    cohort = balls(4)
    images, labels = cohort.images, cohort.one_hot(torch.arange(4), 2)
    with torch.no_grad():
        together = Objective(network, config)(images, labels)
        terms = []
        for i in range(4):
            a, b = slice(i, i + 1), slice((i + 1) % 4, (i + 1) % 4 + 1)
            pair: Displacements = network(images[a], images[b])
            _, logits = network.encode_and_segment(images[a])
            assert logits is not None
            head = segmentation_loss(logits, labels[a])
            moving, fixed = (images[a], labels[a]), (images[b], labels[b])
            terms.append(torch.stack(symmetric_terms(moving, fixed, pair, config.loss, head)))
    torch.testing.assert_close(torch.stack(together), torch.stack(terms).mean(dim=0), rtol=1e-3, atol=1e-4)


def test_half_precision_costs_nearly_the_same_and_the_losses_are_float32() -> None:
    config = small_config()
    torch.manual_seed(0)
    network = RegistrationNetwork(config.architecture)
    cohort = balls(4)
    images, labels = cohort.images, cohort.one_hot(torch.arange(4), 2)
    single = Objective(network, config)(images, labels)
    half = Objective(network, small_config(precision="bfloat16"))(images, labels)
    for a, b in zip(single, half, strict=True):
        assert b.dtype == torch.float32
        torch.testing.assert_close(a, b, rtol=0.05, atol=0.01)
