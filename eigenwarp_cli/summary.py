"""A registration's report, for a person at a terminal."""

from typing import TYPE_CHECKING

from eigenwarp_cli.output import results

if TYPE_CHECKING:
    from eigenwarp.schemas.report import Coefficients, Explanation, Report


def print_summary(report: "Report") -> None:
    """What a person asks first: likeness, overlap, folds, the components that matter, warnings."""
    from rich.table import Table

    console = results()
    console.print(
        f"[bold]{report.model.name}[/bold] {report.model.version}, refinement {report.options.refine},"
        f" {sum(report.timings_s.values()):.2f} s",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("", "before", "after"):
        table.add_column(heading, justify="left" if not heading else "right")
    for row in report.labels.rows:
        if row.dice_after is not None:
            table.add_row(f"Dice {row.name or row.label}", _three(row.dice_before), _three(row.dice_after))
    if report.labels.mean_dice_after is not None:
        table.add_row("Dice, mean", _three(report.labels.mean_dice_before), _three(report.labels.mean_dice_after))
    table.add_row("Correlation", _three(report.similarity.before), _three(report.similarity.after))
    console.print(table)
    console.print(
        f"Jacobian {report.jacobian.minimum:.2f} to {report.jacobian.maximum:.2f},"
        f" {report.jacobian.folding_share:.2%} folded;"
        f" inverse within {report.inverse_consistency.p95_mm:.3f} mm (95 %)",
        highlight=False,
    )
    console.print(_explained(report), highlight=False)
    if report.explanation is not None:
        _print_motions(report.explanation)
    for warning in report.warnings:
        console.print(f"[yellow]warning[/yellow] {warning.code}: {warning.detail}", highlight=False)


def print_coefficients(coefficients: "Coefficients | None", count: int = 8) -> None:
    """The first of both volumes' coefficients; nothing for a model without a basis."""
    if coefficients is None:
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("coefficients")
    shown = min(count, len(coefficients.moving))
    for k in range(1, shown + 1):
        table.add_column(f"a_{k}", justify="right")
    for name in ("moving", "fixed", "difference"):
        table.add_row(name, *(f"{value:+.1f}" for value in getattr(coefficients, name)[:shown]))
    results().print(table, highlight=False)


def _print_motions(explanation: "Explanation") -> None:
    """The one-line description, and the kinds of motion: in all, and of what the basis explains."""
    from rich.table import Table

    console = results()
    motions = [("motion", explanation.motion), ("by the basis", explanation.basis_motion)]
    table = Table(box=None, pad_edge=False)
    for heading in ("", "translation", "rotation", "scaling", "shear", "rest", "RMS mm"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, motion in motions:
        if motion is not None:
            shares = motion.shares
            kinds = (shares.translation, shares.rotation, shares.scaling, shares.shear, shares.rest)
            table.add_row(name, *(f"{share:.0%}" for share in kinds), f"{motion.rms_mm:.2f}")
    if table.row_count:
        console.print(table, highlight=False)
    if explanation.description is not None:
        console.print(explanation.description, highlight=False)


def _explained(report: "Report", count: int = 4) -> str:
    explanation = report.explanation
    if explanation is None:
        return "the model has no basis to explain with"
    largest = sorted(explanation.components, key=lambda row: row.share, reverse=True)[:count]
    parts = [f"{row.share:.0%} component {row.component} ({row.coefficient:+.1f})" for row in largest]
    text = f"latent difference: {', '.join(parts)}; {explanation.outside_basis_share:.0%} outside the basis"
    if explanation.latent_refinement_mm:
        text += f"; refinement of the latent difference changes the field by {explanation.latent_refinement_mm:.2f} mm"
    if explanation.field_beyond_decoding_mm:
        text += (
            f"; refinement of the field adds {explanation.field_beyond_decoding_mm:.2f} mm that no component explains"
        )
    return text


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
