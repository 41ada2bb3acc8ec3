"""``eigenwarp project``: volumes to coefficients."""

import csv
import io
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp.schemas.choices import AlignmentChoice
from eigenwarp_cli.output import print_text, progress_console, write_text
from eigenwarp_cli.parameters import AlignmentOption, LocalizeOption, ModelOption, SideOption, structure_and_side
from eigenwarp_cli.remote import Remote, model_asked_for, remote_of, shown_progress, upload

if TYPE_CHECKING:
    from eigenwarp.schemas.localization import Localize
    from eigenwarp.schemas.projection import Projection


def project(
    ctx: typer.Context,
    volumes: Annotated[list[Path], typer.Argument(metavar="VOLUME...", help="NIfTI volumes.")],
    model: ModelOption = "hippocampus",
    alignment: AlignmentOption = "center",
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="A row per volume here in place of JSON; - for stdout.")
    ] = None,
    localize: LocalizeOption = None,
    side: SideOption = None,
) -> None:
    """Print each VOLUME's coefficients in the model's basis, as JSON or CSV."""
    from eigenwarp.schemas.localization import Localize

    asked = structure_and_side(localize, side)
    whole_heads = None if asked is None else Localize(structure=asked[0], side=asked[1])
    remote = remote_of(ctx)
    if remote is None:
        projections = _project_here(volumes, model, alignment, whole_heads)
    else:
        projections = _project_remotely(remote, volumes, model_asked_for(ctx, model), alignment, whole_heads)
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


def _project_here(
    volumes: list[Path], model: str, alignment: AlignmentChoice, localize: "Localize | None"
) -> "dict[Path, Projection]":
    from eigenwarp.preprocess import Alignment
    from eigenwarp.volume.nifti import read_volume
    from worker.engine import Engine, project_volume, project_whole_head

    loaded = Engine().model(model)
    run = project_volume if localize is None else partial(project_whole_head, localize=localize)
    return {path: run(loaded, read_volume(path), alignment=Alignment(alignment)) for path in volumes}


def _project_remotely(
    remote: Remote, volumes: list[Path], model: str | None, alignment: AlignmentChoice, localize: "Localize | None"
) -> "dict[Path, Projection]":
    """All are sent before the first is waited for, so that the service's workers share them."""
    from eigenwarp.errors import ServiceError

    found = {}
    with remote.client() as client:
        rows = {path: upload(client, path) for path in volumes}
        jobs = {
            path: client.project(row, model=model, alignment=alignment, localize=localize, wait=False)
            for path, row in rows.items()
        }
        for path, job in jobs.items():
            with shown_progress(str(path)) as progress:
                projection = client.wait(job, progress).projection
            if projection is None:
                raise ServiceError(f"job {job.id} succeeded without a projection")
            found[path] = projection
    return found


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
