"""What is lost when only the first components of a latent difference are decoded."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from eigenwarp.explanation import bootstrap_interval
from eigenwarp.model.warp import warp
from training.experiment.beyond.drawing import BLUE, PINK, new_figure, save, tidy
from training.experiment.beyond.measured import Encoded, decode_batches, encoded, in_millimetres
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.stage import OnProgress, Stage, Workplace
from training.tensors import PreparedCohort
from training.validation import hard_dice

ALL = "all"
_COUNTS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, eq=False)
class Used:
    """Registrations that use some of the components.

    Args:
        count: how many; None for the whole difference, the part outside the basis included.
        dice: of each pair, mean of the labels, (N,).
        error_mm: of each pair's field against that of the whole difference, root mean square over the fixed labels.
        energy: share of the latent difference's energy that is used, (N,).
    """

    count: int | None
    dice: npt.NDArray[np.float64]
    error_mm: npt.NDArray[np.float64]
    energy: npt.NDArray[np.float64]


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """Register each validation subject onto the next with more and more components."""
    by_network: dict[str, list[Used]] = {}
    networks = encoded(workplace)
    for place, network in enumerate(networks):
        by_network[network.name] = use_components(network, workplace.prepared_validation)
        on_progress((place + 1) / len(networks))
    _draw(workplace, by_network)
    rows = by_network[networks[0].name]
    nothing, some, whole = rows[0], rows[-2], rows[-1]
    return Findings(
        text=(
            f"Without skips, the {some.count} components of the basis reach a Dice of {some.dice.mean():.3f} where the "
            f"whole latent difference reaches {whole.dice.mean():.3f} and no registration {nothing.dice.mean():.3f}; "
            f"their field is off by {some.error_mm.mean():.2f} mm from the whole one's. The paper reports the Dice of "
            "the whole difference alone."
        ),
        tables=(_table(workplace, by_network),),
        figures=(
            Figure(
                "components-used",
                "Dice (left) and difference from the whole registration's field (right) against the number of "
                "components used; mean with 95 % intervals over the validation pairs. 'all' adds what the basis "
                "does not hold.",
            ),
        ),
    )


def use_components(network: Encoded, cohort: PreparedCohort) -> list[Used]:
    """For 0, 1, 2, 4 … K components and for the whole difference; each subject onto the next, cyclic."""
    basis, model = network.model.basis, network.model
    differences = network.validation - np.roll(network.validation, -1, axis=0)
    fixed = cohort.labels.roll(-1, dims=0)
    whole = torch.cat(list(decode_batches(model, differences)))
    coefficients = basis.project_difference(differences)
    energy = (differences.astype(np.float64) ** 2).sum(axis=1)
    counts = (0, *(count for count in _COUNTS if count < basis.count), basis.count)
    found = []
    for count in counts:
        if count:
            field = torch.cat(list(decode_batches(model, coefficients[:, :count] @ basis.components[:count])))
        else:
            # The decoder of a network with norms makes something even of no difference; not registering is no field.
            field = torch.zeros_like(whole)
        used = (coefficients[:, :count].astype(np.float64) ** 2).sum(axis=1) / energy
        error = region_error(in_millimetres(model, field - whole), fixed > 0)
        found.append(Used(count, pair_dice(cohort.labels, fixed, field), error, used))
    found.append(Used(None, pair_dice(cohort.labels, fixed, whole), np.zeros(len(whole)), np.ones(len(whole))))
    return found


def pair_dice(moving: Tensor, fixed: Tensor, displacement: Tensor) -> npt.NDArray[np.float64]:
    """Dice of warped labels (N, X, Y, Z) with the fixed ones, mean of the labels, (N,)."""
    warped = warp(moving[:, None].float(), displacement, nearest=True)[:, 0].to(torch.uint8)
    return hard_dice(warped, fixed, int(fixed.max())).mean(dim=1).numpy().astype(np.float64)


def region_error(displacement: Tensor, region: Tensor) -> npt.NDArray[np.float64]:
    """Root mean square length of displacements (N, 3, X, Y, Z) over each one's region (N, X, Y, Z), (N,)."""
    squared = (displacement.double() ** 2).sum(dim=1) * region
    inside = region.flatten(1).sum(dim=1).clamp_min(1)
    return np.asarray((squared.flatten(1).sum(dim=1) / inside).sqrt().numpy())


def _table(workplace: Workplace, by_network: dict[str, list[Used]]) -> Table:
    random = np.random.default_rng(workplace.seed)
    rows: list[tuple[Cell, ...]] = []
    for name, found in by_network.items():
        for used in found:
            dice, error = bootstrap_interval(used.dice, random), bootstrap_interval(used.error_mm, random)
            rows.append(
                (
                    name,
                    ALL if used.count is None else used.count,
                    100 * float(used.energy.mean()),
                    dice.estimate,
                    dice.low,
                    dice.high,
                    error.estimate,
                    error.low,
                    error.high,
                )
            )
    return Table(
        name="components-used",
        title="Registration with the first components only",
        columns=(
            "Network",
            "Components",
            "Latent energy used (%)",
            "Dice",
            "95 % from",
            "95 % to",
            "Field error (mm)",
            "95 % from",
            "95 % to",
        ),
        rows=tuple(rows),
        note=(
            "Each validation subject onto the next, on the model's grid, nearest-neighbour labels, feed-forward. The "
            "field error is against the field of the whole latent difference (root mean square over the fixed labels), "
            "not against a true one: it says what the basis loses, not how good the registration is."
        ),
    )


def _draw(workplace: Workplace, by_network: dict[str, list[Used]]) -> None:
    random = np.random.default_rng(workplace.seed)
    figure = new_figure(10.5, 4.2, "What the first components can do")
    left, right = figure.subplots(1, 2)
    counts = sorted({used.count for found in by_network.values() for used in found if used.count is not None})
    labels = [*map(str, counts), ALL]
    for (name, found), colour in zip(by_network.items(), (BLUE, PINK), strict=True):
        x = [labels.index(ALL if used.count is None else str(used.count)) for used in found]
        for axis, values in (
            (left, [used.dice for used in found]),
            (right, [used.error_mm for used in found]),
        ):
            intervals = [bootstrap_interval(value, random) for value in values]
            y = np.array([interval.estimate for interval in intervals])
            low = y - [interval.low for interval in intervals]
            high = np.array([interval.high for interval in intervals]) - y
            axis.errorbar(x, y, [low, high], marker="o", color=colour, capsize=3, label=name)
    for axis, title, unit in ((left, "overlap with the fixed labels", "Dice"), (right, "field error", "mm")):
        axis.set_xticks(range(len(labels)), labels)
        tidy(axis, title, "components used", unit)
    right.set_ylim(bottom=0)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    save(figure, workplace.figures, "components-used")


STAGE = Stage("components-used", "What the basis loses", "docs/explanations.md, Components used", measure)
