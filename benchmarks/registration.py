"""Accuracy and time of registration, ours beside others', all measured by the field they give."""

from collections.abc import Callable, Sequence

from benchmarks.ants_syn import DEFAULTS, AntsSyn
from benchmarks.elastix import Elastix
from benchmarks.interleave import interleave
from benchmarks.machine import installed
from benchmarks.method import Eigenwarp, Method, is_available
from benchmarks.report import Cell, Column, Spread, Table, median, median_ratio
from benchmarks.subjects import Pair
from eigenwarp.field import DisplacementField
from eigenwarp.model.registration import Refine, RegistrationModel
from training.evaluation import (
    UNREGISTERED,
    PairMeasurement,
    Summary,
    centre_alignment,
    measure_field,
    summarise,
)

COLUMNS = (
    Column(name="method"),
    Column(name="Dice", digits=3),
    Column(name="HD95, mm"),
    Column(name="folds, %", digits=3),
    Column(name="SDlogJ", digits=3),
    Column(name="seconds, median"),
    Column(name="time, × feed-forward"),
    Column(name="pairs", digits=0),
)


def all_methods(model: RegistrationModel) -> list[Method]:
    """Ours, feed-forward first, then the other programs whether installed or not."""
    ours = [Eigenwarp(model, refine) for refine in Refine]
    preprocessing = model.preprocessing
    ants = AntsSyn("SyN", preprocessing, DEFAULTS), AntsSyn("SyN", preprocessing), AntsSyn("SyNOnly", preprocessing)
    return [*ours, *ants, Elastix(preprocessing)]


def measure_registration(
    model: RegistrationModel,
    pairs: Sequence[Pair],
    methods: Sequence[Method],
    *,
    budget_seconds: float = float("inf"),
    progress: Callable[[str], None] = lambda _: None,
) -> Table:
    """Register every pair with every method, pair by pair.

    Args:
        methods: the first is the reference of the time ratios.
        budget_seconds: after which no further pair is begun.
    """
    start = [_measure(model, UNREGISTERED, pair, None, 0.0) for pair in pairs]
    cases: dict[str, Callable[[], PairMeasurement | None]] = {
        method.name: _Turns(model, method, pairs) for method in methods if is_available(method)
    }
    found = interleave(cases, len(pairs), budget_seconds, warm_up=False, progress=progress)
    reference = found[methods[0].name]
    rows = [_row(start[: len(reference)], None)]
    for method in methods:
        if method.name not in found:
            rows.append((f"{method.name} (not installed)", *([None] * (len(COLUMNS) - 1))))
            continue
        both = [(ours, own) for own, ours in zip(found[method.name], reference, strict=True) if own and ours]
        if not both:
            rows.append((f"{method.name} (failed)", *([None] * (len(COLUMNS) - 1))))
            continue
        ratio = median_ratio([own.seconds for _, own in both], [ours.seconds for ours, _ in both])
        rows.append(_row([own for _, own in both], ratio, method))
    return Table(
        title="Registration",
        note=(
            f"Pairs: {len(reference)}, each subject onto the next; every method on a pair before the next pair, from "
            "one initial alignment. Measured on the fixed subject's own grid by the labels that the field brings "
            "(nearest voxel): Dice and HD95 are means over the labels, ± sd over the pairs. Our seconds include the "
            "inverse field and the predicted labels. Ratios are medians of the ratios within pairs."
        ),
        columns=COLUMNS,
        rows=tuple(rows),
    )


class _Turns:
    """Registers the next pair on each call; the first pair once more beforehand, so that loading does not count."""

    def __init__(self, model: RegistrationModel, method: Method, pairs: Sequence[Pair]) -> None:
        self.model, self.method, self.pairs, self.turn = model, method, pairs, 0

    def __call__(self) -> PairMeasurement | None:
        pair = self.pairs[self.turn]
        first, self.turn = self.turn == 0, self.turn + 1
        try:
            if first:
                self.method.register(pair)
            found = self.method.register(pair)
        except RuntimeError:
            return None
        return _measure(self.model, self.method.name, pair, found.field, found.seconds)


def _measure(
    model: RegistrationModel, name: str, pair: Pair, field: DisplacementField | None, seconds: float
) -> PairMeasurement:
    field = field or centre_alignment(model, pair.moving, pair.fixed)
    return measure_field(name, pair.names, pair.moving_labels, pair.fixed_labels, field, model.labels, seconds)


def _row(measured: list[PairMeasurement], ratio: float | None, method: Method | None = None) -> tuple[Cell, ...]:
    summary: Summary = summarise(measured)[0]
    name = summary.method
    if method is not None and method.distribution is not None:
        name = f"{name} ({method.distribution} {installed(method.distribution)})"
    return (
        name,
        Spread(mean=summary.dice, sd=summary.dice_sd),
        Spread(mean=summary.hd95_mm, sd=summary.hd95_sd_mm),
        100 * summary.folded_share,
        summary.sd_log_jacobian,
        median([one.seconds for one in measured]) if method else None,
        ratio,
        float(len(measured)),
    )
