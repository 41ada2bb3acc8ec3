"""``eigenwarp models``: what can be named with ``--model``."""

from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp_cli.output import print_text, progress_console, results

if TYPE_CHECKING:
    from eigenwarp.schemas.models import ModelRow


def models(as_json: Annotated[bool, typer.Option("--json", help="JSON in place of a table.")] = False) -> None:
    """List the models found in EIGENWARP_MODELS, in ./models and beside the program."""
    import json

    rows = model_rows()
    if as_json:
        print_text(json.dumps([row.model_dump(mode="json") for row in rows], indent=1))
    elif not rows:
        progress_console().print("no models found: set EIGENWARP_MODELS to a folder of bundles")
    else:
        _print_table(rows)


def model_rows() -> "list[ModelRow]":
    """Every bundle that can be found."""
    from eigenwarp.model.catalogue import list_bundles
    from eigenwarp.schemas.models import ModelRow

    return [
        ModelRow(
            name=manifest.name,
            version=manifest.version,
            created=manifest.created,
            labels=manifest.labels,
            data=manifest.provenance.data,
            steps=manifest.provenance.steps,
            metrics=manifest.metrics,
        )
        for _, manifest in list_bundles().values()
    ]


def _print_table(rows: "list[ModelRow]") -> None:
    from rich.table import Table

    table = Table(box=None)
    for heading in ("name", "version", "created", "labels", "data", "Dice"):
        table.add_column(heading)
    for row in rows:
        scores = ", ".join(f"{method} {m['dice']:.3f}" for method, m in row.metrics.items() if "dice" in m)
        labels = ", ".join(f"{label} {name}" for name, label in row.labels.items())
        table.add_row(row.name, row.version, row.created, labels, row.data, scores)
    results().print(table, highlight=False)
