"""``eigenwarp register``: one volume onto another, with everything that goes with it, into a folder."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp.schemas.choices import (
    AlignmentChoice,
    FieldFormatChoice,
    RefineChoice,
    SideChoice,
    StructureChoice,
    WholeHeadChoice,
)
from eigenwarp_cli.output import make_folder, print_text, write_bytes, write_text
from eigenwarp_cli.parameters import (
    AlignmentOption,
    FieldFormatOption,
    LocalizeOption,
    ModelOption,
    SideOption,
    structure_and_side,
)
from eigenwarp_cli.remote import model_asked_for, remote_of, shown_progress, upload
from eigenwarp_cli.summary import print_summary

if TYPE_CHECKING:
    from eigenwarp.client import Client, ProgressCallback
    from eigenwarp.schemas.localization import LocalizePair
    from eigenwarp.schemas.report import Report
    from worker.registration import RegistrationOutputs

FIELD, INVERSE_FIELD, WARPED = "field.nii.gz", "inverse_field.nii.gz", "warped.nii.gz"
WARPED_SEGMENTATION, JACOBIAN = "warped_segmentation.nii.gz", "jacobian.nii.gz"
REPORT, EXPLANATION = "report.json", "explanation.png"


@dataclass(frozen=True)
class PairFiles:
    """Two NIfTI files and those of their labels."""

    moving: Path
    fixed: Path
    moving_segmentation: Path | None = None
    fixed_segmentation: Path | None = None


@dataclass(frozen=True)
class Choices:
    """How to register."""

    refine: RefineChoice = "none"
    field_format: FieldFormatChoice = "itk"
    alignment: AlignmentChoice = "center"
    components: int | None = None
    structure: tuple[StructureChoice, SideChoice] | None = None
    whole_heads: WholeHeadChoice = "both"

    @property
    def localize(self) -> "LocalizePair | None":
        """What to find in whole heads first."""
        from eigenwarp.schemas.localization import LocalizePair

        if self.structure is None:
            return None
        structure, side = self.structure
        return LocalizePair(structure=structure, side=side, volumes=self.whole_heads)


def register(
    ctx: typer.Context,
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
    localize: LocalizeOption = None,
    side: SideOption = None,
    whole_heads: Annotated[
        WholeHeadChoice, typer.Option(help="With --localize: which volumes are whole heads.")
    ] = "both",
) -> None:
    """Register MOVING onto FIXED.

    Writes field.nii.gz (fixed to moving), inverse_field.nii.gz, warped.nii.gz, warped_segmentation.nii.gz,
    jacobian.nii.gz, report.json and explanation.png. The segmentations given are measured with, never registered with.
    """
    pair = PairFiles(moving, fixed, moving_segmentation, fixed_segmentation)
    how = Choices(refine, field_format, alignment, components, structure_and_side(localize, side), whole_heads)
    remote = remote_of(ctx)
    if remote is None:
        report = _register_here(pair, how, model, out)
    else:
        with remote.client() as client, shown_progress("register") as progress:
            report = register_remotely(client, pair, how, model_asked_for(ctx, model), out, progress)
    print_summary(report)
    print_text(f"written to {out}")


def _register_here(pair: PairFiles, how: Choices, model: str, out: Path) -> "Report":
    from eigenwarp.model.registration import Refine
    from eigenwarp.preprocess import Alignment
    from eigenwarp.volume.nifti import read_segmentation, read_volume
    from worker.engine import Engine, register_volumes, register_whole_heads

    moving, fixed = read_volume(pair.moving), read_volume(pair.fixed)
    moving_labels = read_segmentation(pair.moving_segmentation) if pair.moving_segmentation else None
    fixed_labels = read_segmentation(pair.fixed_segmentation) if pair.fixed_segmentation else None
    localize = how.localize
    run = register_volumes if localize is None else partial(register_whole_heads, localize=localize)
    outputs = run(
        Engine().model(model),
        moving,
        fixed,
        moving_segmentation=moving_labels,
        fixed_segmentation=fixed_labels,
        refine=Refine(how.refine),
        alignment=Alignment(how.alignment),
        components=how.components,
    )
    write_outputs(outputs, out, how.field_format)
    return outputs.report


def register_remotely(
    client: "Client", pair: PairFiles, how: Choices, model: str | None, out: Path, progress: "ProgressCallback | None"
) -> "Report":
    """A pair to a service, the results into the files that ``write_outputs`` would make."""
    from eigenwarp.errors import ServiceError
    from eigenwarp.schemas.requests import ALL_OUTPUTS

    make_folder(out)
    labels = pair.moving_segmentation, pair.fixed_segmentation
    moving_labels, fixed_labels = (upload(client, path, "segmentation") if path else None for path in labels)
    job = client.register(
        upload(client, pair.moving),
        upload(client, pair.fixed),
        moving_segmentation=moving_labels,
        fixed_segmentation=fixed_labels,
        model=model,
        refine=how.refine,
        outputs=ALL_OUTPUTS,
        field_format=how.field_format,
        alignment=how.alignment,
        components=how.components,
        localize=how.localize,
        progress=progress,
    )
    if job.report is None:
        raise ServiceError(f"job {job.id} succeeded without a report")
    client.download(job, out)
    return job.report


def write_outputs(outputs: "RegistrationOutputs", folder: Path, field_format: FieldFormatChoice) -> None:
    """All results of a registration into a folder.

    Raises:
        FileUnreadableError: something cannot be written; its path is named.
    """
    from eigenwarp.files import FieldFormat, write_field
    from eigenwarp.volume.nifti import write_segmentation, write_volume
    from worker.explanation_figure import explanation_figure

    make_folder(folder)
    moving, fixed = outputs.inverse_field.geometry, outputs.field.geometry
    write_field(outputs.field, folder / FIELD, FieldFormat(field_format), moving)
    write_field(outputs.inverse_field, folder / INVERSE_FIELD, FieldFormat(field_format), fixed)
    write_volume(outputs.warped, folder / WARPED)
    write_volume(outputs.jacobian, folder / JACOBIAN)
    if outputs.warped_segmentation is not None:
        write_segmentation(outputs.warped_segmentation, folder / WARPED_SEGMENTATION)
    write_text(folder / REPORT, outputs.report.model_dump_json(indent=1) + "\n")
    if outputs.report.explanation is not None:
        write_bytes(folder / EXPLANATION, explanation_figure(outputs))
