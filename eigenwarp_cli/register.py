"""``eigenwarp register``: one volume onto another, with everything that goes with it, into a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp.schemas.choices import FieldFormatChoice, RefineChoice
from eigenwarp_cli.output import make_folder, print_text, results, write_text
from eigenwarp_cli.parameters import AlignmentOption, FieldFormatOption, ModelOption

if TYPE_CHECKING:
    from eigenwarp.schemas.report import Report
    from worker.registration import RegistrationOutputs

FIELD, INVERSE_FIELD, WARPED = "field.nii.gz", "inverse_field.nii.gz", "warped.nii.gz"
WARPED_SEGMENTATION, JACOBIAN, REPORT = "warped_segmentation.nii.gz", "jacobian.nii.gz", "report.json"


def register(
    moving: Annotated[Path, typer.Argument(metavar="MOVING", help="NIfTI volume to be moved.")],
    fixed: Annotated[Path, typer.Argument(metavar="FIXED", help="NIfTI volume to be moved onto.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results; made if missing.")],
    moving_segmentation: Annotated[Path | None, typer.Option(help="Labels of MOVING; predicted without them.")] = None,
    fixed_segmentation: Annotated[Path | None, typer.Option(help="Labels of FIXED; Dice needs both.")] = None,
    model: ModelOption = "hippocampus",
    refine: Annotated[
        RefineChoice,
        typer.Option(help="Optimise at test time: the latent difference (explained whole) or the field."),
    ] = "none",
    field_format: FieldFormatOption = "itk",
    alignment: AlignmentOption = "center",
    components: Annotated[int | None, typer.Option(metavar="N", help="Use only the basis' first N components.")] = None,
) -> None:
    """Register MOVING onto FIXED.

    Writes field.nii.gz (fixed to moving), inverse_field.nii.gz, warped.nii.gz, warped_segmentation.nii.gz,
    jacobian.nii.gz and report.json. The segmentations given are measured with, never registered with.
    """
    from eigenwarp.model.registration import Refine
    from eigenwarp.preprocess import Alignment
    from eigenwarp.volume.nifti import read_segmentation, read_volume
    from worker.engine import Engine, register_volumes

    moving_volume, fixed_volume = read_volume(moving), read_volume(fixed)
    moving_labels = read_segmentation(moving_segmentation) if moving_segmentation else None
    fixed_labels = read_segmentation(fixed_segmentation) if fixed_segmentation else None
    outputs = register_volumes(
        Engine().model(model),
        moving_volume,
        fixed_volume,
        moving_segmentation=moving_labels,
        fixed_segmentation=fixed_labels,
        refine=Refine(refine),
        alignment=Alignment(alignment),
        components=components,
    )
    write_outputs(outputs, out, field_format)
    print_summary(outputs.report)
    print_text(f"written to {out}")


def write_outputs(outputs: "RegistrationOutputs", folder: Path, field_format: FieldFormatChoice) -> None:
    """All results of a registration into a folder.

    Raises:
        FileUnreadableError: something cannot be written; its path is named.
    """
    from eigenwarp.files import FieldFormat, write_field
    from eigenwarp.volume.nifti import write_segmentation, write_volume

    make_folder(folder)
    moving, fixed = outputs.inverse_field.geometry, outputs.field.geometry
    write_field(outputs.field, folder / FIELD, FieldFormat(field_format), moving)
    write_field(outputs.inverse_field, folder / INVERSE_FIELD, FieldFormat(field_format), fixed)
    write_volume(outputs.warped, folder / WARPED)
    write_volume(outputs.jacobian, folder / JACOBIAN)
    if outputs.warped_segmentation is not None:
        write_segmentation(outputs.warped_segmentation, folder / WARPED_SEGMENTATION)
    write_text(folder / REPORT, outputs.report.model_dump_json(indent=1) + "\n")


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
    for warning in report.warnings:
        console.print(f"[yellow]warning[/yellow] {warning.code}: {warning.detail}", highlight=False)


def _explained(report: "Report", count: int = 4) -> str:
    explanation = report.explanation
    if explanation is None:
        return "the model has no basis to explain with"
    largest = sorted(explanation.components, key=lambda row: row.share, reverse=True)[:count]
    parts = [f"{row.share:.0%} component {row.component} ({row.coefficient:+.1f})" for row in largest]
    text = f"latent difference: {', '.join(parts)}; {explanation.outside_basis_share:.0%} outside the basis"
    if explanation.field_beyond_decoding_mm:
        text += (
            f"; refinement of the field adds {explanation.field_beyond_decoding_mm:.2f} mm that no component explains"
        )
    return text


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
