"""Compactness, generalisation and specificity of the basis."""

import numpy as np
import numpy.typing as npt
import torch

from eigenwarp.explanation import (
    Interval,
    bootstrap_interval,
    compactness,
    draw_coefficients,
    nearest_distances,
    relative_residuals,
)
from training.experiment.beyond.components_used import pair_dice
from training.experiment.beyond.drawing import BLUE, GREY, ORANGE, new_figure, save, tidy
from training.experiment.beyond.measured import (
    cohort_fields,
    decode_batches,
    encoded,
    fields_over_anatomy,
    mean_anatomy,
    root_mean_square,
)
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.stage import OnProgress, Stage, Workplace

FloatArray = npt.NDArray[np.float64]

DRAWS = 100
_COUNTS = (1, 2, 4, 8, 16, 32, 64)


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """All three against the number of components."""
    basis = workplace.model.basis
    counts = (*(count for count in _COUNTS if count < basis.count), basis.count)
    held = compactness(basis.variances, basis.total_variance)
    residuals = relative_residuals(basis, encoded(workplace)[0].validation, counts)
    errors, overlaps = _generalisation(workplace, counts)
    on_progress(0.5)
    drawn_latent, drawn_field = _specificity(workplace, counts)
    on_progress(0.9)
    unseen_latent, unseen_field = _unseen(workplace)
    random = np.random.default_rng(workplace.seed)
    rows = {
        "residual": [bootstrap_interval(100 * column, random) for column in residuals.T],
        "error": [bootstrap_interval(column, random) for column in errors],
        "dice": [bootstrap_interval(column, random) for column in overlaps],
        "drawn latent": [bootstrap_interval(column, random) for column in drawn_latent],
        "drawn field": [bootstrap_interval(column, random) for column in drawn_field],
    }
    seen = bootstrap_interval(unseen_field, random), bootstrap_interval(unseen_latent, random)
    _draw(workplace, held, counts, rows, seen[0])
    last = {name: intervals[-1].estimate for name, intervals in rows.items()}
    return Findings(
        text=(
            f"The {basis.count} components hold {held[-1]:.0%} of the training variance (compactness; the paper: 93 % "
            f"with 32). Of a subject that the basis was not made of they leave {last['residual']:.0f} % of the length "
            f"of its encoding, {last['error']:.2f} mm of its field (generalisation); the template brought onto it by "
            f"them has a Dice of {last['dice']:.3f}. A subject drawn from them is {last['drawn field']:.2f} mm from "
            f"the nearest training subject, a real unseen one {seen[0].estimate:.2f} mm (specificity)."
        ),
        tables=(_table(held, counts, rows, seen),),
        figures=(
            Figure(
                "shape-model",
                "Compactness, generalisation (what is left of unseen subjects' fields) and specificity (distance of "
                "drawn subjects to the nearest training subject; dashed: of real unseen subjects) against the number "
                "of components; 95 % intervals.",
            ),
        ),
    )


def _generalisation(workplace: Workplace, counts: tuple[int, ...]) -> tuple[list[FloatArray], list[FloatArray]]:
    """Field error (mm) and the Dice of the template brought onto each validation subject, for each count."""
    network, _ = encoded(workplace)
    basis = network.model.basis
    coefficients = basis.project(network.validation)
    _, whole = cohort_fields(workplace)
    labels = workplace.prepared_validation.labels
    values = (0, *workplace.model.labels.values())
    places = np.zeros(max(values) + 1, dtype=np.uint8)
    places[list(values)] = np.arange(len(values))
    template = torch.from_numpy(places[mean_anatomy(workplace).data]).expand(len(labels), -1, -1, -1)
    errors, overlaps = [], []
    for count in counts:
        part = (coefficients[:, :count] @ basis.components[:count]).astype(np.float32)
        errors.append(root_mean_square(fields_over_anatomy(workplace, network.model, part) - whole))
        # The template stands for the mean encoding: moving less fixed is mean − E(X).
        field = torch.cat(list(decode_batches(network.model, -part)))
        overlaps.append(pair_dice(template, labels, field))
    return errors, overlaps


def _specificity(workplace: Workplace, counts: tuple[int, ...]) -> tuple[list[FloatArray], list[FloatArray]]:
    """Of drawn subjects to the nearest training subject, for each count: latent units and mm."""
    network, _ = encoded(workplace)
    basis = network.model.basis
    train, _ = cohort_fields(workplace)
    draws = draw_coefficients(basis.variances, DRAWS, np.random.default_rng(workplace.seed))
    latent, field = [], []
    for count in counts:
        codes = (draws[:, :count] @ basis.components[:count]).astype(np.float32)
        latent.append(_latent_distances(codes, (network.train - basis.mean).astype(np.float32)))
        field.append(_field_distances(fields_over_anatomy(workplace, network.model, codes), train))
    return latent, field


def _unseen(workplace: Workplace) -> tuple[FloatArray, FloatArray]:
    """The same of real subjects that the basis was not made of: what a distance to the nearest neighbour is worth."""
    network, _ = encoded(workplace)
    train, validation = cohort_fields(workplace)
    return _latent_distances(network.validation, network.train), _field_distances(validation, train)


def _latent_distances(codes: npt.NDArray[np.float32], cohort: npt.NDArray[np.float32]) -> FloatArray:
    """Euclidean, as the coefficients are."""
    return np.asarray(nearest_distances(codes, cohort) * np.sqrt(codes.shape[1]))


def _field_distances(fields: npt.NDArray[np.float32], cohort: npt.NDArray[np.float32]) -> FloatArray:
    """Root mean square over the anatomy of the length of the difference, mm; three components to a length."""
    nearest = nearest_distances(fields.reshape(len(fields), -1), cohort.reshape(len(cohort), -1))
    return np.asarray(nearest * np.sqrt(3))


def _table(
    held: FloatArray, counts: tuple[int, ...], rows: dict[str, list[Interval]], seen: tuple[Interval, Interval]
) -> Table:
    cells: list[tuple[Cell, ...]] = []
    for place, count in enumerate(counts):
        intervals = [intervals[place] for intervals in rows.values()]
        cells.append(
            (count, 100 * float(held[count - 1]), *(value for i in intervals for value in (i.estimate, i.low, i.high)))
        )
    unseen = [value for i in (seen[1], seen[0]) for value in (i.estimate, i.low, i.high)]
    cells.append(("real unseen subjects", *(None,) * 10, *unseen))
    interval = ("95 % from", "95 % to")
    return Table(
        name="shape-model",
        title="Compactness, generalisation and specificity",
        columns=(
            "Components",
            "Compactness (% of variance)",
            "Left of unseen encodings (%)",
            *interval,
            "Left of unseen fields (mm)",
            *interval,
            "Dice of the template brought onto unseen subjects",
            *interval,
            "Drawn subject to the nearest (latent units)",
            *interval,
            "Drawn subject to the nearest (mm)",
            *interval,
        ),
        rows=tuple(cells),
        note=(
            "Compactness: of the training cohort. Generalisation: the validation subjects, on whom no basis was "
            f"fitted; fields over the mean anatomy, against the whole encoding's field. Specificity: {DRAWS} Gaussian "
            "draws against the nearest training subject; small is good only beside a good generalisation, for a "
            "basis that draws nothing but the mean is the most specific. The last row is the distance of real "
            "subjects, that draws should not exceed."
        ),
    )


def _draw(
    workplace: Workplace,
    held: FloatArray,
    counts: tuple[int, ...],
    rows: dict[str, list[Interval]],
    unseen: Interval,
) -> None:
    figure = new_figure(12, 4, "The basis as a shape model")
    first, second, third = figure.subplots(1, 3)
    first.plot(np.arange(1, len(held) + 1), 100 * held, color=BLUE, marker="o", markersize=3)
    first.set_ylim(0, 100)
    for axis, name, colour in ((second, "error", BLUE), (third, "drawn field", ORANGE)):
        y = np.array([interval.estimate for interval in rows[name]])
        low = y - [interval.low for interval in rows[name]]
        high = np.array([interval.high for interval in rows[name]]) - y
        axis.errorbar(range(len(counts)), y, [low, high], marker="o", color=colour, capsize=3)
        axis.set_xticks(range(len(counts)), map(str, counts))
        axis.set_ylim(bottom=0)
    third.axhline(unseen.estimate, color=GREY, linestyle="--")
    third.axhspan(unseen.low, unseen.high, color=GREY, alpha=0.2)
    third.set_ylim(top=1.15 * max(unseen.high, *(interval.high for interval in rows["drawn field"])))
    tidy(first, "compactness", "components", "variance held (%)", whole_numbers=True)
    tidy(second, "generalisation", "components", "left of unseen subjects' fields (mm)")
    tidy(third, "specificity", "components", "to the nearest training subject (mm)")
    save(figure, workplace.figures, "shape-model")


STAGE = Stage(
    "shape-model",
    "Compactness, generalisation, specificity",
    "docs/explanations.md, The basis as a shape model",
    measure,
)
