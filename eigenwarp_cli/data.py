"""``eigenwarp data get`` and ``eigenwarp synthesize``: where subjects come from."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from eigenwarp_cli.application import new_application
from eigenwarp_cli.output import print_text, progress_console
from eigenwarp_cli.parameters import DataOption, ModelOption, downloaded_hippocampus, require_data

app = new_application("Data sets from their publishers.", root=False)


@app.callback()
def data() -> None:
    """Data sets from their publishers."""


@app.command("get")
def get(
    name: Annotated[Literal["hippocampus"], typer.Argument(help="Which data set.")],
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="Folder to make; where the other commands look by default."),
    ] = None,
) -> None:
    """Download a data set, check it, and lay this project's split beside it.

    hippocampus: Medical Segmentation Decathlon, Task 04, CC BY-SA 4.0, 27 MB. An interrupted download is resumed.
    """
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from training.data.download import get_hippocampus

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=progress_console()) as bar:
        task = bar.add_task(name, total=None)
        folder = get_hippocampus(
            to or downloaded_hippocampus(),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    print_text(str(folder))


def synthesize(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to make.")],
    subjects: Annotated[int, typer.Option(help="How many.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 0,
) -> None:
    """Make a synthetic cohort of labelled blobs with known deformations."""
    from training.data.synthetic import make_cohort

    print_text(str(make_cohort(out, subjects, seed)))


def examples(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to make.")],
    model: ModelOption = "hippocampus",
    data: DataOption = None,
    subjects: Annotated[int, typer.Option(help="How many.")] = 6,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 0,
) -> None:
    """Make synthetic subjects with a model: its template under coefficients drawn from its cohort.

    The texture on top is measured on the data set's real subjects.
    """
    from eigenwarp.model.registration import RegistrationModel
    from training.data.cohort import open_cohort
    from training.examples import make_examples, texture_level
    from training.tensors import prepare_cohort

    loaded = RegistrationModel.load(model)
    labels = tuple(loaded.labels.values())
    cohort = prepare_cohort(open_cohort(require_data(data), "train"), loaded.preprocessing, labels)
    texture = texture_level(loaded, cohort)
    names = make_examples(loaded, out, subjects=subjects, seed=seed, texture=texture)
    print_text(f"{', '.join(names)} in {out}; anatomy beyond the mean {texture.anatomy:.3f}, noise {texture.noise:.3f}")
