"""``eigenwarp project``: volumes to coefficients."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp_cli.output import print_text, progress_console, write_text
from eigenwarp_cli.parameters import AlignmentOption, ModelOption

if TYPE_CHECKING:
    from eigenwarp.schemas.projection import Projection


def project(
    volumes: Annotated[list[Path], typer.Argument(metavar="VOLUME...", help="NIfTI volumes.")],
    model: ModelOption = "hippocampus",
    alignment: AlignmentOption = "center",
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="A row per volume here in place of JSON; - for stdout.")
    ] = None,
) -> None:
    """Print each VOLUME's coefficients in the model's basis, as JSON or CSV."""
    from eigenwarp.preprocess import Alignment
    from eigenwarp.volume.nifti import read_volume
    from worker.engine import Engine, project_volume

    loaded = Engine().model(model)
    projections = {path: project_volume(loaded, read_volume(path), Alignment(alignment)) for path in volumes}
    for path, projection in projections.items():
        for warning in projection.warnings:
            progress_console().print(
                f"{path}: warning {warning.code}: {warning.detail}", highlight=False, soft_wrap=True
            )
    if csv_file is None:
        documents = [{"volume": str(path), **found.model_dump(mode="json")} for path, found in projections.items()]
        print_text(json.dumps(documents, indent=1))
    elif str(csv_file) == "-":
        typer.echo(as_csv(projections), nl=False)
    else:
        write_text(csv_file, as_csv(projections))


def as_csv(projections: "dict[Path, Projection]") -> str:
    """A heading and a row per volume: path, model, version, distances, then a_1 … a_K."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    count = max(len(projection.coefficients) for projection in projections.values())
    domain = ("mahalanobis", "mahalanobis_percentile", "reconstruction_residual", "reconstruction_residual_percentile")
    writer.writerow(["volume", "model", "version", *domain, *(f"a_{k}" for k in range(1, count + 1))])
    for path, projection in projections.items():
        distances = [getattr(projection, name) for name in domain]
        writer.writerow([path, projection.model.name, projection.model.version, *distances, *projection.coefficients])
    return text.getvalue()
