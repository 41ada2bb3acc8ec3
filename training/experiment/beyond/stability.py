"""Whether another half of the cohort, or another network, gives the same basis."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eigenwarp.explanation import canonical_correlations, match_components, principal_angles, subspace_overlap
from training.experiment.beyond.drawing import BLUE, GREEN, GREY, ORANGE, PINK, new_figure, save, tidy
from training.experiment.beyond.effects import anatomy_component_fields
from training.experiment.beyond.measured import Encoded, encoded, encoded_other_seed
from training.experiment.beyond.principal import span_coordinates
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.stage import OnProgress, Stage, Workplace

FloatArray = npt.NDArray[np.float64]

HALVES = 50
SCORES = 8
_DIMENSIONS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, eq=False)
class Halves:
    """Of repeated random halves.

    Args:
        dimensions: of the subspaces compared.
        overlap: mean cos² of the principal angles, (halves, dimensions).
        largest: principal angle, degrees, (halves, dimensions).
        matched: |cos| of each component's counterparts in both halves, (halves, K).
        span: dimensions of the space in which the subjects lie.
    """

    dimensions: tuple[int, ...]
    overlap: FloatArray
    largest: FloatArray
    matched: FloatArray
    span: int


@dataclass(frozen=True, eq=False)
class OtherNetwork:
    """Another network's basis beside the model's.

    Args:
        canonical: correlations of the first scores on the held-apart validation subjects, descending in the fit.
        matched: |cos| of each component's field with its counterpart's, over the anatomy, (K,).
        overlap: of the spaces that the first ``SCORES`` components' fields span.
    """

    canonical: FloatArray
    matched: FloatArray
    overlap: float


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """Halves of the training cohort; the network with skips; another seed, where there is one."""
    without, skips = encoded(workplace)
    halves = compare_halves(without.train, without.model.basis.count, np.random.default_rng(workplace.seed))
    on_progress(0.5)
    others = {network.name: _compare(workplace, without, network) for network in (skips,)}
    other_seed = encoded_other_seed(workplace)
    if other_seed is not None:
        others[other_seed.name] = _compare(workplace, without, other_seed)
    _draw(workplace, halves, others)
    steady = np.median(halves.matched, axis=0)
    lasting = int(np.argmax(steady < 0.8)) if (steady < 0.8).any() else len(steady)
    seed = "No model of another seed was given, so that what depends on the seed is not measured here."
    if other_seed is not None:
        other = others[other_seed.name]
        seed = (
            f"With another seed the components' fields agree with |cos| {other.matched[:SCORES].mean():.2f} over the "
            f"first {SCORES}, and the first scores of unseen subjects correlate with {other.canonical.mean():.2f}."
        )
    return Findings(
        text=(
            f"Bases of two halves of the training cohort share {halves.overlap[:, -1].mean():.0%} of their "
            f"{halves.dimensions[-1]} dimensions' energy ({halves.dimensions[-1] / halves.span:.0%} by chance). "
            f"The first {lasting} components come back in both halves with a median |cos| of 0.8 or more; from "
            f"component {lasting + 1} on a component is as much this sample's as this population's. {seed}"
        ),
        tables=(_subspaces(halves), _components(halves, others), _networks(workplace, others)),
        figures=(
            Figure(
                "stability",
                "Left: how much of the subspaces of two random halves agrees, against their dimension (grey: by "
                "chance). Right: how well each component comes back, from the other half of the cohort as a "
                "direction, from other networks as a field.",
            ),
        ),
    )


def compare_halves(codes: npt.NDArray[np.float32], count: int, random: np.random.Generator) -> Halves:
    """Fit a basis to each of two disjoint random halves, again and again.

    Args:
        codes: of the training subjects, (N, D).
        count: K; fewer where half of the subjects do not give as many.
    """
    # The coordinates are the whole cohort's principal ones, so component k of it is the k-th unit vector.
    coordinates = span_coordinates(codes)
    half = len(coordinates) // 2
    count = min(count, half - 1)
    dimensions = (*(d for d in _DIMENSIONS if d < count), count)
    whole = np.eye(count, coordinates.shape[1])
    overlap, largest, matched = [], [], []
    for _ in range(HALVES):
        order = random.permutation(len(coordinates))
        first, second = (_directions(coordinates[part], count) for part in (order[:half], order[half : 2 * half]))
        angles = [principal_angles(first[:d], second[:d]) for d in dimensions]
        overlap.append([subspace_overlap(a) for a in angles])
        largest.append([a[-1] for a in angles])
        a, b = first[match_components(whole, first).partner], second[match_components(whole, second).partner]
        matched.append(np.abs((a * b).sum(axis=1)))
    return Halves(dimensions, np.array(overlap), np.array(largest), np.array(matched), coordinates.shape[1])


def _directions(rows: FloatArray, count: int) -> FloatArray:
    return np.asarray(np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][:count])


def _compare(workplace: Workplace, model: Encoded, other: Encoded) -> OtherNetwork:
    count = min(SCORES, model.model.basis.count, other.model.basis.count, (len(model.train) - 1) // 2)
    scores = [
        (
            network.model.basis.project(network.train)[:, :count],
            network.model.basis.project(network.validation)[:, :count],
        )
        for network in (model, other)
    ]
    (first, first_apart), (second, second_apart) = scores
    fields = [anatomy_component_fields(workplace, network.model) for network in (model, other)]
    matched = match_components(*(field[: min(map(len, fields))] for field in fields))
    angles = principal_angles(fields[0][:count], fields[1][:count])
    return OtherNetwork(
        canonical=canonical_correlations(first, second, (first_apart, second_apart)),
        matched=matched.similarity,
        overlap=subspace_overlap(angles),
    )


def _subspaces(halves: Halves) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for place, dimension in enumerate(halves.dimensions):
        shares, angles = 100 * halves.overlap[:, place], halves.largest[:, place]
        rows.append(
            (
                dimension,
                *_spread(shares),
                100 * dimension / halves.span,
                *_spread(angles),
            )
        )
    return Table(
        name="stability-subspaces",
        title=f"Bases of two halves of the training cohort, {HALVES} random halves",
        columns=(
            "Components",
            "Shared (% of energy)",
            "95 % of halves from",
            "to",
            "By chance (%)",
            "Largest principal angle (°)",
            "95 % of halves from",
            "to",
        ),
        rows=tuple(rows),
        note=(
            "Shared: mean cos² of the principal angles between the subspaces. By chance: of two random subspaces of "
            "the space in which the cohort lies. Halves have half the subjects; a basis of all of them is steadier."
        ),
    )


def _components(halves: Halves, others: dict[str, OtherNetwork]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    count = max(halves.matched.shape[1], *(len(other.matched) for other in others.values()))
    for k in range(count):
        spread: tuple[Cell, ...] = (None, None, None)
        if k < halves.matched.shape[1]:
            spread = _spread(halves.matched[:, k])
        rest = (float(other.matched[k]) if k < len(other.matched) else None for other in others.values())
        rows.append((k + 1, *spread, *rest))
    return Table(
        name="stability-components",
        title="How well each component comes back",
        columns=(
            "Component",
            "Halves: median |cos|",
            "95 % of halves from",
            "to",
            *(f"Field, {name}: |cos|" for name in others),
        ),
        rows=tuple(rows),
        note=(
            "Halves: between the counterparts of the component in two disjoint halves, as directions in the latent "
            "space. Other networks have latent spaces of their own, so that the fields D(σ u) over the mean anatomy "
            "are compared there, paired one to one. Two components of like variance may turn into one another's "
            "mixtures and have a small |cos| in a subspace that is stable."
        ),
    )


def _networks(workplace: Workplace, others: dict[str, OtherNetwork]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, other in others.items():
        correlations = ", ".join(f"{value:.2f}" for value in other.canonical)
        rows.append((name, len(other.canonical), float(other.canonical.mean()), correlations, 100 * other.overlap))
    if workplace.other_seed is None:
        rows.append(("another seed: no such model was given", None, None, None, None))
    return Table(
        name="stability-networks",
        title="The same subjects in other networks",
        columns=(
            "Network",
            "Scores",
            "Mean canonical correlation",
            "Canonical correlations",
            f"Fields' subspace shared, first {SCORES} (% of energy)",
        ),
        rows=tuple(rows),
        note=(
            "Canonical correlations of the first scores: directions found on the training subjects, correlations on "
            "the validation subjects. High: both networks order the subjects in the same way, whatever they call it."
        ),
    )


def _spread(values: FloatArray) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, (0.025, 0.5, 0.975))
    return float(middle), float(low), float(high)


def _draw(workplace: Workplace, halves: Halves, others: dict[str, OtherNetwork]) -> None:
    figure = new_figure(12, 4.4, "How stable the basis is")
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    shares = np.array([_spread(100 * column) for column in halves.overlap.T])
    x = range(len(halves.dimensions))
    left.errorbar(
        x, shares[:, 0], (shares[:, 0] - shares[:, 1], shares[:, 2] - shares[:, 0]), color=BLUE, marker="o", capsize=3
    )
    left.plot(x, 100 * np.array(halves.dimensions) / halves.span, color=GREY, linestyle="--")
    left.set_xticks(x, map(str, halves.dimensions))
    left.set_ylim(0, 100)
    tidy(left, "subspaces of two halves", "components", "shared (% of energy)")
    cosines = np.array([_spread(column) for column in halves.matched.T])
    numbers = np.arange(1, len(cosines) + 1)
    right.fill_between(numbers, cosines[:, 1], cosines[:, 2], color=BLUE, alpha=0.15)
    right.plot(numbers, cosines[:, 0], color=BLUE, marker="o", label="the other half of the cohort (median, 95 %)")
    for (name, other), colour in zip(others.items(), (PINK, GREEN, ORANGE), strict=False):
        label = f"the network {name}" if name.startswith("with") else f"a network of {name}"
        right.plot(np.arange(1, len(other.matched) + 1), other.matched, color=colour, marker="s", label=label)
    right.set_ylim(0, 1.02)
    tidy(right, "components", "component", "|cos| with its counterpart", whole_numbers=True)
    right.legend(frameon=False, fontsize=8.5)
    save(figure, workplace.figures, "stability")


STAGE = Stage("stability", "How stable the basis is", "docs/explanations.md, Stability", measure)
