"""``eigenwarp audit``: who accessed what."""

from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp_cli.output import print_text, progress_console, results

if TYPE_CHECKING:
    from eigenwarp.stores.database.records import AuditEntry


def audit(
    caller: Annotated[str | None, typer.Option(help="Of this caller alone, such as key:0123456789ab.")] = None,
    target: Annotated[str | None, typer.Option(help="To this volume, job or subject alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the latest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line in place of a table.")] = False,
) -> None:
    """List accesses to volumes, results and subjects, the latest first."""
    import json
    from dataclasses import asdict

    from eigenwarp_cli.database import deployment_database

    entries: list[AuditEntry] = []
    cursor: str | None = None
    with deployment_database() as database:
        while len(entries) < limit:
            page, cursor = database.audit.page(
                caller=caller, target=target, cursor=cursor, limit=min(500, limit - len(entries))
            )
            entries += page
            if cursor is None:
                break
    if as_json:
        for entry in entries:
            print_text(json.dumps({**asdict(entry), "at": entry.at.isoformat()}))
    elif entries:
        _print_table(entries)
    else:
        progress_console().print("no accesses")


def _print_table(entries: "list[AuditEntry]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None)
    for heading in ("at", "caller", "action", "target", "outcome", "request"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        texts = (entry.caller, entry.action, entry.target, entry.outcome, entry.request_id or "")
        table.add_row(f"{entry.at:%Y-%m-%d %H:%M:%S}", *(Text(text) for text in texts))
    results().print(table, highlight=False)
