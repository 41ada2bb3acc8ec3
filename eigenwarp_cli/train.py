"""``eigenwarp train``: one run, or its continuation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from eigenwarp_cli.output import print_text, progress_console
from eigenwarp_cli.parameters import DataOption, require_data

Figures = dict[str, float]


def train(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A preset's name or a TOML file.")],
    run: Annotated[Path, typer.Option("--run", metavar="DIR", help="The run's folder; goes on where it stopped.")],
    data: DataOption = None,
    steps: Annotated[int | None, typer.Option(help="Length of the run and its schedule.")] = None,
    stop_at: Annotated[int | None, typer.Option(help="Leave after this step; the next call goes on.")] = None,
    start_from: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A checkpoint or a bundle whose weights a new run starts from.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a value; repeatable.")
    ] = None,
    tensorboard: Annotated[bool, typer.Option(help="Write the figures for TensorBoard into the run's folder.")] = False,
) -> None:
    """Train a model on the data set's train group, validating on its validation group.

    Under torchrun the batch is divided among the processes.
    """
    from dataclasses import replace

    from eigenwarp.errors import OptionInvalidError
    from eigenwarp_cli.overrides import with_settings
    from training.config import load_config
    from training.data.cohort import open_cohort
    from training.initialise import describe_start
    from training.loop import train as train_network
    from training.processes import Processes
    from training.tensors import prepare_cohort

    if start_from is not None and not start_from.exists():
        raise OptionInvalidError(f"--start-from: there is no file or folder {start_from}")
    chosen = with_settings(load_config(config), settings or [])
    if steps is not None:
        chosen = chosen.with_steps(steps)
    if start_from is not None:
        chosen = replace(chosen, started_from=describe_start(start_from))
    folder = require_data(data)
    labels = tuple(chosen.labels.values())
    subjects, validation = (
        prepare_cohort(open_cohort(folder, group), chosen.preprocessing, labels) for group in ("train", "validation")
    )
    processes = Processes.from_environment()
    last = min(chosen.optimiser.steps, stop_at or chosen.optimiser.steps)
    with _shown(_steps_done(run), last, processes.first) as show, _logged(run, tensorboard and processes.first) as log:

        def report(figures: Figures) -> None:
            show(figures)
            log(figures)

        progress = train_network(
            chosen,
            subjects,
            validation,
            run,
            processes=processes,
            report=report,
            stop_at=stop_at,
            initial=start_from,
        )
    processes.leave()
    if processes.first:
        print_text(f"step {progress.step}, best validation Dice {progress.best_dice:.4f}, {run}")


def _steps_done(run: Path) -> int:
    from training.checkpoint import read_config

    last = run / "last.safetensors"
    return read_config(last)[1].step if last.exists() else 0


@contextmanager
def _shown(start: int, end: int, visible: bool) -> Iterator[Callable[[Figures], None]]:
    """A bar with the rate of this call's steps, the time left, and the latest figures."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    with Progress(*columns, console=progress_console(), disable=not visible) as bar:
        task = bar.add_task("train", total=end, completed=start, rate="", figures="")
        measured = {"dice": ""}

        def show(figures: Figures) -> None:
            if "validation_dice" in figures:
                measured["dice"] = f"  Dice {figures['validation_dice']:.4f}"
            speed = bar.tasks[0].speed
            bar.update(
                task,
                completed=figures["step"],
                rate=f"{speed:.2f} steps/s" if speed else "",
                figures=f"loss {figures['loss']:.4f}{measured['dice']}",
            )

        yield show


@contextmanager
def _logged(run: Path, wanted: bool) -> Iterator[Callable[[Figures], None]]:
    """TensorBoard's event file, in the run's folder."""
    if not wanted:
        yield lambda _: None
        return
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(run / "tensorboard")) as writer:

        def log(figures: Figures) -> None:
            for name, value in figures.items():
                if name != "step":
                    writer.add_scalar(name, value, int(figures["step"]))

        yield log
