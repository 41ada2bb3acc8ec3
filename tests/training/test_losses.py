import pytest
import torch
from torch import Tensor

from eigenwarp.model import Displacements
from tests.model.networks import affine_displacement, normal
from tests.training.cohorts import SHAPE, balls
from training.config import LossConfig
from training.losses import LossTerms, registration_terms, segmentation_loss, symmetric_terms

ALL = LossConfig(similarity_radius=2, folding=1.0, segmentation=1.0)


def sides() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    cohort = balls(4)
    labels = cohort.one_hot(torch.arange(4), 2)
    return (cohort.images[:2], labels[:2]), (cohort.images[2:], labels[2:])


def fields() -> Displacements:
    return Displacements(normal(2, 3, *SHAPE, seed=1), normal(2, 3, *SHAPE, seed=2))


def test_swapping_the_sides_with_their_fields_leaves_every_term() -> None:
    moving, fixed = sides()
    forward, backward = fields()
    zero = torch.zeros(())
    one = symmetric_terms(moving, fixed, Displacements(forward, backward), ALL, zero)
    other = symmetric_terms(fixed, moving, Displacements(backward, forward), ALL, zero)
    for name, a, b in zip(LossTerms._fields, one, other, strict=True):
        torch.testing.assert_close(a, b, msg=name)
    assert one.folding > 0


def test_each_term_is_the_mean_of_both_directions() -> None:
    moving, fixed = sides()
    forward, backward = fields()
    terms = symmetric_terms(moving, fixed, Displacements(forward, backward), ALL, torch.tensor(3.0))
    there, back = registration_terms(moving, fixed, forward, ALL), registration_terms(fixed, moving, backward, ALL)
    for a, b, mean in zip(there, back, terms[:4], strict=True):
        torch.testing.assert_close((a + b) / 2, mean)
    assert terms.segmentation == 3


def test_a_volume_on_itself_costs_nothing_but_flat_windows() -> None:
    moving, _ = sides()
    noise = torch.rand(2, 1, *SHAPE, generator=torch.Generator().manual_seed(0))
    same = (noise, moving[1])
    terms = registration_terms(same, same, torch.zeros(2, 3, *SHAPE), ALL)
    for term in terms:
        assert term.item() == pytest.approx(0, abs=1e-3)


def test_a_shift_that_aligns_lowers_similarity_and_dice() -> None:
    (image, labels), _ = sides()
    shifted = image.roll(2, dims=2), labels.roll(2, dims=2)
    aligning = torch.tensor([-2.0, 0, 0]).view(1, 3, 1, 1, 1).expand(2, 3, *SHAPE)
    before = registration_terms((image, labels), shifted, torch.zeros(2, 3, *SHAPE), ALL)
    after = registration_terms((image, labels), shifted, aligning, ALL)
    assert after[0] < before[0] - 0.05
    assert after[1] < 0.01 < before[1] - 0.05
    assert after[2] == 0


def test_a_term_without_weight_is_not_computed_and_changes_no_other() -> None:
    moving, fixed = sides()
    forward = fields().forward
    everything = registration_terms(moving, fixed, forward, ALL)
    for index, name in enumerate(("similarity", "dice", "smoothness", "folding")):
        values = {"similarity_radius": 2, "folding": 1.0, name: 0.0}
        some = registration_terms(moving, fixed, forward, LossConfig(**values))  # type: ignore[arg-type]
        assert some[index] == 0
        for other in set(range(4)) - {index}:
            torch.testing.assert_close(some[other], everything[other])
    nothing = LossConfig(similarity=0, dice=0, smoothness=0, folding=0)
    assert all(term == 0 for term in registration_terms(moving, fixed, forward, nothing))


def test_the_total_weighs_each_term() -> None:
    config = LossConfig(similarity=2, dice=3, smoothness=5, folding=7, segmentation=11)
    for index, weight in enumerate((2, 3, 5, 7, 11)):
        terms = LossTerms(*torch.eye(5)[index])
        assert terms.total(config) == weight


def test_similarity_at_half_the_resolution_still_finds_the_better_field() -> None:
    (image, labels), _ = sides()
    config = LossConfig(similarity_radius=2, similarity_scale=2)
    shifted = image.roll(2, dims=3), labels.roll(2, dims=3)
    aligning = torch.tensor([0, -2.0, 0]).view(1, 3, 1, 1, 1).expand(2, 3, *SHAPE)
    before = registration_terms((image, labels), shifted, torch.zeros(2, 3, *SHAPE), config)[0]
    assert registration_terms((image, labels), shifted, aligning, config)[0] < before - 0.05


def test_folding_is_charged_to_a_mirrored_field_alone() -> None:
    moving, fixed = sides()
    mirrored = affine_displacement(torch.diag(torch.tensor([-1.0, 1.0, 1.0])), SHAPE).expand(2, -1, -1, -1, -1)
    assert registration_terms(moving, fixed, mirrored, ALL)[3].item() == pytest.approx(1)
    assert registration_terms(moving, fixed, torch.zeros(2, 3, *SHAPE), ALL)[3] == 0


def test_the_segmentation_loss_falls_as_the_logits_become_right() -> None:
    labels = balls(2).one_hot(torch.arange(2), 2)
    whole = torch.cat([1 - labels.sum(dim=1, keepdim=True), labels], dim=1)
    losses = [segmentation_loss(scale * whole, labels).item() for scale in (-5.0, 0.0, 5.0, 50.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(0, abs=1e-3)
    wrong = torch.cat([whole[:, :1], whole[:, 2:], whole[:, 1:2]], dim=1)
    assert segmentation_loss(50 * wrong, labels).item() > 1


def test_the_segmentation_loss_of_soft_labels_has_a_finite_gradient() -> None:
    labels = 0.5 * balls(2).one_hot(torch.arange(2), 2)
    logits = normal(2, 3, *SHAPE).mul(30).requires_grad_()
    segmentation_loss(logits, labels).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
