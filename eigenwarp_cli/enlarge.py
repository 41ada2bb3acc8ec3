"""``eigenwarp enlarge`` and ``leave-one-out``: a cohort out of a few subjects, and what a model learns from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp_cli.output import print_text, progress_console, write_text
from eigenwarp_cli.parameters import DataOption, require_data

if TYPE_CHECKING:
    from training.data.cohort import Cohort
    from training.evaluation import PairMeasurement

LabelsFolderOption = Annotated[
    str, typer.Option("--labels-folder", metavar="NAME", help="Beside images/: where the segmentations lie.")
]
CopiesOption = Annotated[int, typer.Option(help="Deformed copies of each subject to train on.")]
DiaphragmOption = Annotated[float, typer.Option(metavar="MM", help="Largest motion of the diaphragm; 0 for none.")]
ChestOption = Annotated[float, typer.Option(help="Largest relative widening of the chest; 0 for none.")]
SteepnessOption = Annotated[float, typer.Option(help="Of the random smooth deformations, from 0 to below 1.")]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same copies.")]


def enlarge(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to make.")],
    data: DataOption = None,
    labels_folder: LabelsFolderOption = "labels",
    leave_out: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Subject to leave out; repeatable.")
    ] = None,
    copies: CopiesOption = 10,
    diaphragm_mm: DiaphragmOption = 25.0,
    chest: ChestOption = 0.08,
    steepness: SteepnessOption = 0.35,
    seed: SeedOption = 0,
) -> None:
    """Make a cohort of a few subjects: random smooth and breathing-like deformations of each.

    The folder can be trained on and exported from; the model card then says how the cohort was made.
    """
    from training.data.cohort import Cohort
    from training.data.enlarge import Enlargement
    from training.data.enlarge import enlarge as make_larger

    cohort = _cohort(data, labels_folder)
    unknown = set(leave_out or ()) - set(cohort.names)
    if unknown:
        from eigenwarp.errors import DataSetError

        raise DataSetError(f"no subject {sorted(unknown)[0]!r} to leave out; there are {', '.join(cohort.names)}")
    kept = Cohort(tuple(subject for subject in cohort.subjects if subject.name not in (leave_out or ())))
    how = Enlargement(copies=copies, diaphragm_mm=diaphragm_mm, chest=chest, steepness=steepness, seed=seed)
    print_text(f"{make_larger(kept, out, how)}: {how.describe(len(kept))}")


def leave_one_out(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A preset's name or a TOML file.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A folder per fold; goes on where it stopped.")],
    data: DataOption = None,
    labels_folder: LabelsFolderOption = "labels",
    steps: Annotated[int | None, typer.Option(help="Length of each fold's run.")] = None,
    only: Annotated[str | None, typer.Option(metavar="NAME", help="Do the fold of this subject alone.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a value; repeatable.")
    ] = None,
    data_name: Annotated[str, typer.Option(help="What the model cards call the data set.")] = "unnamed",
    copies: CopiesOption = 10,
    diaphragm_mm: DiaphragmOption = 25.0,
    chest: ChestOption = 0.08,
    steepness: SteepnessOption = 0.35,
    seed: SeedOption = 0,
) -> None:
    """Train on all subjects but one, enlarged, and measure the pairs that involve the one left out; for each in turn.

    Prints Dice before and after, and writes pairs.csv into the folder.
    """
    from eigenwarp_cli.overrides import with_settings
    from eigenwarp_cli.trained import print_summaries
    from training.config import load_config
    from training.data.enlarge import Enlargement
    from training.evaluation import summarise
    from training.leave_one_out import FoldReport
    from training.leave_one_out import leave_one_out as run_folds

    chosen = with_settings(load_config(config), settings or [])
    if steps is not None:
        chosen = chosen.with_steps(steps)
    how = Enlargement(copies=copies, diaphragm_mm=diaphragm_mm, chest=chest, steepness=steepness, seed=seed)
    cohort = _cohort(data, labels_folder)
    console = progress_console()

    def tell_step(figures: dict[str, float]) -> None:
        if "validation_dice" in figures or figures["step"] % 10 == 0:
            dice = f", validation Dice {figures['validation_dice']:.3f}" if "validation_dice" in figures else ""
            console.print(
                f"step {figures['step']:.0f}, loss {figures['loss']:.3f}{dice}, {figures['seconds']:.0f} s",
                highlight=False,
            )

    report = FoldReport(begun=lambda name: console.print(f"without {name}", highlight=False), step=tell_step)
    measured = run_folds(chosen, cohort, out, how, data=data_name, only=only, report=report)
    write_text(out / "pairs.csv", _as_csv(measured))
    print_summaries(summarise(measured))


def _cohort(data: Path | None, labels_folder: str) -> "Cohort":
    from training.data.cohort import open_cohort

    return open_cohort(require_data(data), labels=labels_folder)


def _as_csv(measured: "list[PairMeasurement]") -> str:
    labels = list(measured[0].dice)
    lines = [",".join(["method", "moving", "fixed", *(f"dice_{label}" for label in labels), "folded_share", "seconds"])]
    lines += [
        ",".join(
            [
                row.method,
                row.moving,
                row.fixed,
                *(f"{row.dice[label]:.4f}" for label in labels),
                f"{row.folded_share:.6f}",
                f"{row.seconds:.3f}",
            ]
        )
        for row in measured
    ]
    return "\n".join(lines) + "\n"
