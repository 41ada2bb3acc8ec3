"""``python -m benchmarks``: what is claimed about accuracy beside others and about speed, measured anew."""

import os
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.section import SHARES, Section
from eigenwarp.errors import EigenwarpError
from eigenwarp_cli.parameters import DataOption, ModelOption, known_data

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

USER_ERROR = 2


@app.command()
def bench(
    data: DataOption = None,
    model: ModelOption = "hippocampus",
    pairs: Annotated[int, typer.Option(min=1, help="Pairs to register with every method.")] = 12,
    quick: Annotated[bool, typer.Option("--quick", help="Two pairs, two rounds: does it run?")] = False,
    minutes: Annotated[float, typer.Option(min=0.1, help="About how long the measurements may take.")] = 9.0,
    only: Annotated[list[Section] | None, typer.Option(help="Only this table; may be repeated.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="For every program; all cores by default.")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Gets bench.md and bench.json.")] = Path(
        "out/bench"
    ),
) -> None:
    """Measure Eigenwarp beside ANTs and elastix, and each of its tricks on and off; print the tables as Markdown."""
    from benchmarks.machine import limit_threads
    from benchmarks.run import Plan, run_benchmarks

    threads = threads or os.cpu_count() or 1
    limit_threads(threads)
    plan = Plan(
        model=model,
        data=known_data(data),
        pairs=min(pairs, 2) if quick else pairs,
        rounds=2 if quick else 5,
        budgets={section: SHARES[section] * minutes * 60 for section in only or Section},
        threads=threads,
    )
    try:
        report = run_benchmarks(plan, progress=lambda text: typer.echo(text, err=True))
        report.save(out)
    except EigenwarpError as error:
        typer.echo(f"benchmarks: error: {error.detail}", err=True)
        raise typer.Exit(USER_ERROR) from None
    typer.echo(report.markdown())
    typer.echo(f"kept in {out}", err=True)


if __name__ == "__main__":
    app()
