"""Whether latent differences add up as deformations do, and whether a registration's two directions undo each other."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from eigenwarp.explanation import bootstrap_interval
from eigenwarp.field import DisplacementField, solve_inverse
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.model.warp import compose
from training.experiment.beyond.components_used import region_error
from training.experiment.beyond.drawing import BLUE, PINK, new_figure, save, tidy
from training.experiment.beyond.measured import Encoded, decode_batches, encoded, in_millimetres, world_field
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.stage import OnProgress, Stage, Workplace

SIZE = "the field itself"
_PARTS = 8


@dataclass(frozen=True, eq=False)
class Discrepancy:
    """Between two ways to one field.

    Args:
        name: of the two ways.
        millimetres: root mean square over the fixed labels, of each pair, (N,).
    """

    name: str
    millimetres: npt.NDArray[np.float64]


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """Over triples and pairs of validation subjects, with both networks."""
    found: dict[str, list[Discrepancy]] = {}
    networks = encoded(workplace)
    for place, network in enumerate(networks):
        found[network.name] = discrepancies(network, workplace.prepared_validation.labels)
        on_progress((place + 1) / len(networks))
    _draw(workplace, found)
    means = {row.name: float(row.millimetres.mean()) for row in found[networks[0].name]}
    return Findings(
        text=(
            f"A registration without skips moves the anatomy by {means[SIZE]:.2f} mm. Registering X onto Z at once or "
            f"by way of Y differs by {means[_COMPOSED]:.2f} mm, although the latent differences add up exactly: that "
            "much the decoder is not a homomorphism. Adding the fields of the single components instead of decoding "
            f"their sum differs by {means[_ADDED]:.2f} mm: so far may an explanation in components be taken as a sum "
            "of motions. The decoded backward field differs from the true inverse of the forward one by "
            f"{means[_INVERSE]:.2f} mm."
        ),
        tables=(_table(workplace, found),),
        figures=(
            Figure(
                "additivity",
                "How far two ways to the same field differ, beside the size of the field itself: each validation "
                "pair's root mean square over the fixed labels.",
            ),
        ),
    )


_COMPOSED = "D(z₁ + z₂) and D(z₁) after D(z₂)"
_SUMMED = "D(z₁ + z₂) and D(z₁) + D(z₂)"
_ADDED = "D(Σ a_j u_j) and Σ D(a_j u_j)"
_HALVED = "D(z) and 2 D(z / 2)"
_THERE_AND_BACK = "forward, then backward, and staying"
_INVERSE = "backward and the inverse of forward"


def discrepancies(network: Encoded, labels: Tensor) -> list[Discrepancy]:
    """Registers each subject X onto the next but one, Z, by way of the next, Y.

    Args:
        labels: of the validation subjects, (N, X, Y, Z).
    """
    model, codes = network.model, network.validation
    x, y, z = codes, np.roll(codes, -1, axis=0), np.roll(codes, -2, axis=0)
    on_z = labels.roll(-2, dims=0) > 0
    whole, first, second, half = (
        torch.cat(list(decode_batches(model, difference))) for difference in (x - z, x - y, y - z, (x - z) / 2)
    )
    backward = torch.cat(list(decode_batches(model, z - x)))
    inside, added = _added_components(model, x - z)
    ways = {
        _COMPOSED: whole - compose(first, second),
        _SUMMED: whole - first - second,
        _ADDED: inside - added,
        _HALVED: whole - 2 * half,
        # x ↦ backward(forward(x)) on the fixed grid, whose points should come back.
        _THERE_AND_BACK: compose(backward, whole),
    }
    rows = [Discrepancy(SIZE, region_error(in_millimetres(model, whole), on_z))]
    rows += [Discrepancy(name, region_error(in_millimetres(model, way), on_z)) for name, way in ways.items()]
    on_x = labels > 0
    triples = zip(whole, backward, on_x.numpy(), strict=True)
    inverse = np.array([_inverse_error(model, there, back, region) for there, back, region in triples])
    return [*rows, Discrepancy(_INVERSE, inverse)]


def _added_components(model: RegistrationModel, differences: npt.NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """D(Σ a_j u_j) and Σ D(a_j u_j) over the first components, each (N, 3, X, Y, Z)."""
    basis = model.basis
    count = min(_PARTS, basis.count)
    components = basis.components[:count].astype(np.float32)
    coefficients = np.asarray(basis.project_difference(differences), dtype=np.float32)[:, :count]
    together = torch.cat(list(decode_batches(model, coefficients @ components)))
    added = torch.zeros_like(together)
    for j in range(count):
        added += torch.cat(list(decode_batches(model, coefficients[:, j : j + 1] * components[j])))
    return together, added


def _inverse_error(model: RegistrationModel, forward: Tensor, backward: Tensor, region: npt.NDArray[np.bool_]) -> float:
    """Between the decoded backward field and the inverse of the forward one, over the moving labels, mm."""
    found = np.argwhere(region)
    low, high = found.min(axis=0), found.max(axis=0) + 1
    offset, shape = [int(n) for n in low], [int(n) for n in high - low]
    decoded = world_field(model, backward)
    box = decoded.geometry.cropped((offset[0], offset[1], offset[2]), (shape[0], shape[1], shape[2]))
    inner = tuple(slice(o, o + n) for o, n in zip(offset, shape, strict=True))
    guess = DisplacementField(decoded.displacement[inner], box)
    inverse = solve_inverse(world_field(model, forward), box, guess, tolerance_mm=1e-2).field
    error = inverse.displacement[region[inner]].astype(np.float64) - guess.displacement[region[inner]]
    return float(np.sqrt((error**2).sum(axis=1).mean()))


def _table(workplace: Workplace, found: dict[str, list[Discrepancy]]) -> Table:
    random = np.random.default_rng(workplace.seed)
    rows: list[tuple[Cell, ...]] = []
    for network, measured in found.items():
        size = measured[0].millimetres
        for row in measured:
            mean = bootstrap_interval(row.millimetres, random)
            share = 100 * float(row.millimetres.mean() / size.mean())
            rows.append(
                (
                    network,
                    row.name,
                    mean.estimate,
                    mean.low,
                    mean.high,
                    float(np.percentile(row.millimetres, 95)),
                    share,
                )
            )
    return Table(
        name="additivity",
        title="How far two ways to the same field differ",
        columns=(
            "Network",
            "Two ways",
            "Mean (mm)",
            "95 % from",
            "95 % to",
            "95th percentile (mm)",
            "of the field (%)",
        ),
        rows=tuple(rows),
        note=(
            "z₁ = E(X) − E(Y), z₂ = E(Y) − E(Z), over triples of validation subjects; root mean square over the "
            "labels of the fixed subject (of the moving one for the inverse). 'D(z₁) after D(z₂)' is what warping "
            f"with one field and then with the other does. Components: the first {_PARTS} of the basis. A network "
            "could be exactly additive and register badly; this says only how literally the sum may be taken."
        ),
    )


def _draw(workplace: Workplace, found: dict[str, list[Discrepancy]]) -> None:
    figure = new_figure(10, 4.8, "How far two ways to the same field differ")
    axis = figure.subplots()
    names = [row.name for row in next(iter(found.values()))]
    for place, ((_, measured), colour) in enumerate(zip(found.items(), (BLUE, PINK), strict=True)):
        boxes = axis.boxplot(
            [row.millimetres for row in measured],
            positions=np.arange(len(names)) + 0.36 * (place - 0.5),
            widths=0.3,
            orientation="horizontal",
            patch_artist=True,
            showfliers=False,
            medianprops={"color": "black"},
        )
        for box in boxes["boxes"]:
            box.set_facecolor(colour)
            box.set_alpha(0.75)
        axis.plot([], [], color=colour, linewidth=6, label=list(found)[place])
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set_xlim(left=0)
    tidy(axis, "", "root mean square over the labels (mm)")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    save(figure, workplace.figures, "additivity")


STAGE = Stage("additivity", "Additivity and symmetry", "docs/explanations.md, Additivity and symmetry", measure)
