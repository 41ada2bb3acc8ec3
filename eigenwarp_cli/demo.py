"""``eigenwarp demo``: one pair, registered, explained and drawn."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp.errors import DataSetError
from eigenwarp_cli.output import make_folder, print_text, results, write_bytes
from eigenwarp_cli.parameters import DataOption, ModelOption, known_data

if TYPE_CHECKING:
    from training.data.cohort import Cohort

MODES = ("none", "field")
FIGURE = "registration.png"


@dataclass(frozen=True)
class DemoPair:
    """Two subjects and where they come from."""

    cohort: "Cohort"
    moving: int
    fixed: int
    origin: str


def demo(
    data: DataOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")] = Path("out/demo"),
    model: ModelOption = "hippocampus",
) -> None:
    """Register a pair, feed-forward and with refinement of the field, and draw it.

    Two validation subjects of the data set where one is at hand, else two synthetic subjects of examples/.
    """
    from eigenwarp.model.registration import Refine
    from eigenwarp_cli.register import write_outputs
    from eigenwarp_cli.summary import print_summary
    from worker.engine import Engine, register_volumes
    from worker.figure import registration_figure

    pair = find_pair(data)
    console = results()
    console.print(
        f"{pair.origin}: {pair.cohort.names[pair.moving]} onto {pair.cohort.names[pair.fixed]}", highlight=False
    )
    moving, moving_labels = pair.cohort.load(pair.moving)
    fixed, fixed_labels = pair.cohort.load(pair.fixed)
    loaded = Engine().model(model)
    for mode in MODES:
        outputs = register_volumes(
            loaded,
            moving,
            fixed,
            moving_segmentation=moving_labels,
            fixed_segmentation=fixed_labels,
            refine=Refine(mode),
        )
        folder = make_folder(out / ("feed-forward" if mode == "none" else f"{mode}-refined"))
        write_outputs(outputs, folder, "itk")
        picture = registration_figure(moving, fixed, moving_labels, fixed_labels, outputs)
        write_bytes(folder / FIGURE, picture)
        console.print()
        print_summary(outputs.report)
        _print_coefficients(outputs.report.coefficients)
        print_text(f"fields, volumes, report.json and {FIGURE} in {folder.resolve()}")


def _print_coefficients(coefficients: object, count: int = 8) -> None:
    from eigenwarp.schemas.report import Coefficients

    if not isinstance(coefficients, Coefficients):
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


def find_pair(data: Path | None) -> DemoPair:
    """Two validation subjects of the data set asked for or downloaded, else two of the examples.

    Raises:
        DataSetError: the data set cannot be read, or there are no examples either.
    """
    from training.data.cohort import open_cohort
    from training.data.split import SPLIT_FILE

    folder = known_data(data)
    if folder is not None:
        split = "validation" if (folder / SPLIT_FILE).is_file() else None
        cohort = open_cohort(folder, split)
        origin = f"{split or 'all'} subjects of {folder}"
    else:
        examples = examples_folder()
        cohort = open_cohort(examples, None)
        origin = f"synthetic subjects of {examples} (real ones with --data DIR or EIGENWARP_DATA)"
    if len(cohort) < 2:
        raise DataSetError(f"{origin}: a pair needs two subjects, got {len(cohort)}")
    return DemoPair(cohort, moving=0, fixed=1, origin=origin)


def examples_folder() -> Path:
    """``examples/`` of the checkout.

    Raises:
        DataSetError: the program was installed without it.
    """
    for folder in (Path(__file__).resolve().parents[1] / "examples", Path("examples")):
        if (folder / "images").is_dir():
            return folder
    raise DataSetError("no examples beside the program: give --data DIR or run 'eigenwarp data get hippocampus'")
