"""Which scans are unusual, with limits that hold for subjects that the basis was not made of."""

import numpy as np
import numpy.typing as npt

from eigenwarp.explanation import (
    OutlierScores,
    cross_validated_scores,
    outlier_scores,
    proportion_interval,
    q_limit,
    t_squared_limit,
)
from training.experiment.beyond.corruptions import CORRUPTIONS, corrupted
from training.experiment.beyond.drawing import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION, new_figure, save, tidy
from training.experiment.beyond.measured import encode_images, encoded
from training.experiment.beyond.principal import span_coordinates
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.stage import OnProgress, Stage, Workplace

FOLDS = 10
LEVELS = (0.95, 0.99)
# Each of T² and Q at this level, so that a faultless subject exceeds one or the other in about 5 of 100.
ALARM_LEVEL = 0.975
_SHOWN = (1, 4, 5, 7, 9)
_COLOURS = (VERMILION, ORANGE, PINK, GREEN, SKY)


def measure(workplace: Workplace, on_progress: OnProgress) -> Findings:
    """Limits by cross-validation on the training subjects, coverage on the validation ones, rates on faulty scans."""
    network, _ = encoded(workplace)
    basis = network.model.basis
    # A fold's basis needs more subjects than components.
    folds = min(FOLDS, len(network.train))
    count = min(basis.count, len(network.train) - -(-len(network.train) // folds) - 1)
    own = outlier_scores(basis, network.train)
    apart = cross_validated_scores(span_coordinates(network.train), count, folds, np.random.default_rng(workplace.seed))
    random = np.random.default_rng(workplace.seed + 1)
    faulty: dict[str, OutlierScores] = {}
    for step, corruption in enumerate(CORRUPTIONS, start=1):
        images = corrupted(workplace.validation, network.model.preprocessing, corruption, random)
        faulty[corruption.name] = outlier_scores(basis, encode_images(network.model, images))
        on_progress(step / len(CORRUPTIONS))
    limits = float(np.quantile(apart.t_squared, ALARM_LEVEL)), float(np.quantile(apart.q, ALARM_LEVEL))
    unseen = faulty[CORRUPTIONS[0].name]
    rates = _rates(faulty, limits)
    _draw(workplace, apart, faulty, limits)
    alarms = _either(unseen, limits)
    naive = float((unseen.q > np.quantile(own.q, ALARM_LEVEL)).mean())
    caught = [name for name, scores in faulty.items() if _either(scores, limits).mean() >= 0.9]
    missed = [name for name in faulty if name not in caught and name != CORRUPTIONS[0].name]
    return Findings(
        text=(
            f"With limits from a {folds}-fold cross-validation on the training subjects, each at {ALARM_LEVEL:.1%}, "
            f"{int(alarms.sum())} of {len(alarms)} faultless validation subjects exceed T² or Q (5 % expected). With "
            f"the limit of the subjects that the basis was made of, {naive:.0%} of them would exceed Q alone. Caught "
            f"in nine of ten scans or more: {', '.join(caught) or 'nothing'}. Caught less often: "
            f"{', '.join(missed) or 'nothing'}."
        ),
        tables=(_coverage(own, apart, unseen, count), rates),
        figures=(
            Figure(
                "outliers",
                "T² and Q of training subjects under a basis that was made without them (grey), of faultless "
                "validation subjects (blue) and of the same with a fault; lines: the limits.",
            ),
        ),
    )


def _either(scores: OutlierScores, limits: tuple[float, float]) -> npt.NDArray[np.bool_]:
    return np.asarray((scores.t_squared > limits[0]) | (scores.q > limits[1]))


def _coverage(own: OutlierScores, apart: OutlierScores, unseen: OutlierScores, count: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for level in LEVELS:
        for score, how, limit, values in (
            ("T²", "F distribution", t_squared_limit(len(own.q), count, level), unseen.t_squared),
            ("T²", "training subjects", float(np.quantile(own.t_squared, level)), unseen.t_squared),
            ("T²", "cross-validation", float(np.quantile(apart.t_squared, level)), unseen.t_squared),
            ("Q", "training subjects", float(np.quantile(own.q, level)), unseen.q),
            ("Q", "cross-validation", float(np.quantile(apart.q, level)), unseen.q),
            ("Q", "cross-validation, Box's χ²", q_limit(apart.q, level), unseen.q),
        ):
            below = proportion_interval(int((values <= limit).sum()), len(values))
            rows.append((score, how, 100 * level, limit, 100 * below.estimate, 100 * below.low, 100 * below.high))
    return Table(
        name="outlier-limits",
        title="Limits of T² and Q, and how many validation subjects stay below them",
        columns=(
            "Score",
            "Limit from",
            "Should stay below (%)",
            "Limit",
            "Validation subjects below (%)",
            "95 % from",
            "95 % to",
        ),
        rows=tuple(rows),
        note=(
            "T² has no unit, Q is in latent units squared. Training subjects helped to make the basis, which "
            "therefore holds them better than anybody else: their own Q is no limit for new subjects. Intervals: "
            "Wilson's, of the validation subjects' number."
        ),
    )


def _rates(faulty: dict[str, OutlierScores], limits: tuple[float, float]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, scores in faulty.items():
        either = _either(scores, limits)
        rate = proportion_interval(int(either.sum()), len(either))
        rows.append(
            (
                name,
                100 * float((scores.t_squared > limits[0]).mean()),
                100 * float((scores.q > limits[1]).mean()),
                100 * rate.estimate,
                100 * rate.low,
                100 * rate.high,
                float(np.median(scores.t_squared)),
                float(np.median(scores.q)),
            )
        )
    return Table(
        name="outlier-rates",
        title="How often a fault is caught",
        columns=(
            "Fault",
            "T² above its limit (%)",
            "Q above its limit (%)",
            "Either (%)",
            "95 % from",
            "95 % to",
            "Median T²",
            "Median Q",
        ),
        rows=tuple(rows),
        note=(
            f"Limits: cross-validation, {ALARM_LEVEL:.1%} each. The row 'none' is the rate of false alarms. A fault "
            "that is not caught leaves the encoding within the cohort: either the network does not mind it, or the "
            "cohort holds such scans (left and right hippocampi look like each other's mirror image). An unusual "
            "scan is not a wrong one, and a usual one is not proof of a good registration."
        ),
    )


def _draw(
    workplace: Workplace, apart: OutlierScores, faulty: dict[str, OutlierScores], limits: tuple[float, float]
) -> None:
    figure = new_figure(9, 6.4, "Outlier scores")
    axis = figure.subplots()
    axis.scatter(apart.t_squared, apart.q, s=14, color=GREY, alpha=0.6, label="training, held apart")
    names = [corruption.name for corruption in CORRUPTIONS]
    for place, colour in zip(_SHOWN, _COLOURS, strict=True):
        scores = faulty[names[place]]
        axis.scatter(scores.t_squared, scores.q, s=18, color=colour, marker="^", alpha=0.8, label=names[place])
    unseen = faulty[names[0]]
    axis.scatter(unseen.t_squared, unseen.q, s=22, color=BLUE, label="validation, faultless")
    axis.axvline(limits[0], color="black", linewidth=1)
    axis.axhline(limits[1], color="black", linewidth=1)
    axis.set_xscale("log")
    axis.set_yscale("log")
    tidy(axis, "", "T²: unusual within the basis", "Q: outside the basis (latent units²)")
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    save(figure, workplace.figures, "outliers")


STAGE = Stage("outliers", "Outlier scores", "docs/explanations.md, Outlier scores", measure)
