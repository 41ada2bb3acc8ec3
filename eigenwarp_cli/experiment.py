"""``eigenwarp experiment``: the paper's experiments, and what goes beyond them, as one report."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp_cli.application import new_application
from eigenwarp_cli.output import make_folder, print_text, progress_console
from eigenwarp_cli.parameters import DataOption, ModelOption, require_data

if TYPE_CHECKING:
    from training.experiment.stage import Stage

app = new_application("Experiments on a data set, each as one report.", root=False)
FAILED = 1


@app.callback()
def experiments() -> None:
    """Experiments on a data set, each as one report."""


@app.command("paper")
def paper(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The report's folder; goes on where it stopped.")],
    data: DataOption = None,
    model: ModelOption = "hippocampus",
    with_skips: Annotated[
        str, typer.Option("--with-skips", metavar="NAME", help="The model with skips, its ablation.")
    ] = "hippocampus-skips",
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="STAGE", help="Run this stage alone; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Make every table and figure of the paper, and those that it lacks, on the data set's train and validation groups.

    A second call does what is missing, what failed, and what a changed model, data set, seed or stage has made invalid.
    Exit code 1 when a stage failed.
    """
    from eigenwarp.model.registration import RegistrationModel
    from training.data.cohort import open_cohort
    from training.experiment.catalogue import STAGES
    from training.experiment.report import write_report
    from training.experiment.run import Experiment, run_experiment

    folder = require_data(data)
    experiment = Experiment(
        model=RegistrationModel.load(model),
        with_skips=RegistrationModel.load(with_skips),
        train=open_cohort(folder, "train"),
        validation=open_cohort(folder, "validation"),
        out=make_folder(out),
        seed=seed,
    )
    console = progress_console()

    def tell(stage: "Stage", error: Exception) -> None:
        console.print(f"stage {stage.name} failed:", style="bold red", markup=False)
        console.print("".join(traceback.format_exception(error)), markup=False, highlight=False)

    with _shown(len(STAGES)) as show:
        outcomes = run_experiment(experiment, STAGES, only=tuple(only or ()), on_share=show, on_failure=tell)
    # Of the names only: where the models, the data and the report lie is of no use to a reader elsewhere.
    command = (
        f"eigenwarp experiment paper --model {experiment.model.bundle.name}"
        f" --with-skips {experiment.with_skips.bundle.name} --data DIR --out DIR --seed {seed}"
    )
    page = write_report(experiment, outcomes, command)
    failed = [outcome.stage.name for outcome in outcomes if outcome.failure]
    ran = sum(outcome.ran and not outcome.failure for outcome in outcomes)
    standing = sum(outcome.current and not outcome.ran for outcome in outcomes)
    print_text(
        f"{page}: {ran} stages run, {standing} stood already" + (f", failed: {', '.join(failed)}" if failed else "")
    )
    if failed:
        raise typer.Exit(FAILED)


@contextmanager
def _shown(stages: int) -> Iterator[Callable[["Stage", float], None]]:
    """A bar with the stage, the share of all work and the time left; nothing where nothing is due."""
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    with Progress(*columns, console=progress_console(), transient=True) as bar:
        task = bar.add_task(f"{stages} stages", total=1.0)

        def show(stage: "Stage", share: float) -> None:
            bar.update(task, completed=share, description=stage.title)

        yield show
