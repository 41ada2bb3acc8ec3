import pytest
import torch

from eigenwarp.model import RegistrationNetwork
from tests.training.cohorts import balls, small_config
from training.validation import hard_dice, validate


@pytest.mark.parametrize("seed", range(3))
def test_hard_dice_is_the_count_voxel_by_voxel(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.randint(0, 4, (2, 4, 3, 5), generator=generator, dtype=torch.uint8) for _ in range(2))
    scores = hard_dice(a, b, 3)
    assert scores.shape == (2, 3)
    for row in range(2):
        for label in (1, 2, 3):
            in_a = {i for i, value in enumerate(a[row].flatten().tolist()) if value == label}
            in_b = {i for i, value in enumerate(b[row].flatten().tolist()) if value == label}
            assert scores[row, label - 1].item() == pytest.approx(2 * len(in_a & in_b) / (len(in_a) + len(in_b)))


def test_a_label_absent_in_both_scores_1_and_in_one_0() -> None:
    none, some = torch.zeros(1, 2, 2, 2), torch.ones(1, 2, 2, 2)
    assert hard_dice(none, none, 1).item() == 1
    assert hard_dice(none, some, 1).item() == 0


def test_a_network_that_moves_nothing_scores_the_initial_dice() -> None:
    config = small_config()
    network = RegistrationNetwork(config.architecture)
    torch.nn.init.zeros_(network.decoder.to_gradients.weight)
    cohort = balls(5)
    measured = validate(network, cohort, 2)
    expected = hard_dice(cohort.labels, cohort.labels.roll(-1, 0), 2).mean().item()
    assert measured.dice == pytest.approx(measured.initial_dice, abs=1e-6)
    # Means over batches of unequal size weigh every pair alike.
    assert measured.initial_dice == pytest.approx(expected, abs=1e-6)
    assert measured.folded_share == 0
    assert 0 <= measured.segmentation_dice <= 1


def test_the_batch_size_does_not_matter() -> None:
    config = small_config()
    torch.manual_seed(0)
    network = RegistrationNetwork(config.architecture)
    cohort = balls(5)
    small, large = validate(network, cohort, 2, batch=1), validate(network, cohort, 2, batch=5)
    assert small == pytest.approx(large, abs=2e-3)


def test_without_a_head_there_is_no_segmentation_dice() -> None:
    config = small_config(architecture={"segmentation_classes": 0}, loss={"segmentation": 0.0})
    measured = validate(RegistrationNetwork(config.architecture), balls(3), 2)
    assert measured.segmentation_dice == 0
