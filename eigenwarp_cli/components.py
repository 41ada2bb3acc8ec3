"""``eigenwarp components`` and ``eigenwarp component``: the basis, and the deformation of one of its directions."""

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp.schemas.choices import ScaleUnit
from eigenwarp_cli.output import print_text, require_nifti_name, results, write_bytes
from eigenwarp_cli.parameters import FieldFormatOption, ModelOption
from eigenwarp_cli.remote import model_asked_for, remote_of

if TYPE_CHECKING:
    from eigenwarp.schemas.components import ComponentTable


def components(
    ctx: typer.Context,
    model: ModelOption = "hippocampus",
    as_json: Annotated[bool, typer.Option("--json", help="JSON in place of a table.")] = False,
) -> None:
    """List the basis: what each component explains, and how it moves the template's anatomy at +1 sd."""
    table = _table(ctx, model)
    if as_json:
        print_text(table.model_dump_json(indent=1))
    else:
        print_components(table)


def component(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(metavar="K", help="Component, from 1.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="NIfTI file for the field.")],
    scale: Annotated[float, typer.Option(help="How far along the component; negative for the other way.")] = 1.0,
    unit: Annotated[
        ScaleUnit, typer.Option(help="sd: the training cohort's standard deviations. latent: the paper's λ.")
    ] = "sd",
    field_format: FieldFormatOption = "itk",
    model: ModelOption = "hippocampus",
) -> None:
    """Write the deformation of component K on the template's grid."""
    require_nifti_name(out)
    remote = remote_of(ctx)
    if remote is not None:
        with remote.client() as client:
            content = client.component(
                number, scale=scale, unit=unit, format=field_format, model=model_asked_for(ctx, model)
            )
        # The service sends .nii.gz alone.
        write_bytes(out, content if out.name.endswith(".gz") else gzip.decompress(content))
        return
    from eigenwarp.files import FieldFormat, write_field
    from worker.engine import Engine, component_field

    field = component_field(Engine().model(model), number, scale, unit)
    write_field(field, out, FieldFormat(field_format), moving=field.geometry)


def _table(ctx: typer.Context, model: str) -> "ComponentTable":
    remote = remote_of(ctx)
    if remote is not None:
        with remote.client() as client:
            return client.components(model_asked_for(ctx, model))
    from worker.engine import Engine, describe_components

    return describe_components(Engine().model(model))


def print_components(table: "ComponentTable") -> None:
    """A line for each component."""
    from rich.table import Table

    shown = Table(title=f"{table.model.name} {table.model.version}: at +1 sd the template's anatomy moves so", box=None)
    headings = "k", "variance", "sum", "sd", "rms mm", "transl.", "rotation", "scaling", "shear", "rest"
    for heading in headings:
        shown.add_column(heading, justify="right")
    shown.add_column("translation R A S, mm", justify="right")
    shown.add_column("rotation, axis R A S", justify="right")
    shown.add_column("volumes")
    for row in table.rows:
        motion = row.motion
        shares = motion.shares
        shown.add_row(
            str(row.component),
            f"{row.explained_variance_ratio:.1%}",
            f"{row.cumulative:.1%}",
            f"{row.standard_deviation:.3g}",
            f"{motion.rms_mm:.2f}",
            *(f"{s:.0%}" for s in (shares.translation, shares.rotation, shares.scaling, shares.shear, shares.rest)),
            _vector(motion.translation_mm),
            f"{motion.rotation_degrees:.1f}° {_vector(motion.rotation_axis)}",
            ", ".join(f"{change.name or change.label} {change.change_percent:+.1f} %" for change in row.volume_changes),
        )
    results().print(shown, highlight=False)
    for row in table.rows:
        if row.description:
            results().print(f"{row.component:3}  {row.description}", highlight=False)


def _vector(values: tuple[float, float, float]) -> str:
    return " ".join(f"{value:+.2f}" for value in values)
