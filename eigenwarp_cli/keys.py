"""``eigenwarp keys``: who may call the service."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp.schemas.access import Scope
from eigenwarp_cli.application import new_application
from eigenwarp_cli.output import print_text, progress_console, results

if TYPE_CHECKING:
    from eigenwarp.stores.database.records import KeyRecord

app = new_application("API keys of the service: made, listed, revoked.", root=False)


class ScopeName(StrEnum):
    """Typer reads a list of an enumeration's members, and none of literals."""

    read = "read"
    submit = "submit"
    admin = "admin"


_SCOPES: dict[ScopeName, Scope] = {ScopeName.read: "read", ScopeName.submit: "submit", ScopeName.admin: "admin"}


@app.command("create")
def create(
    name: Annotated[str, typer.Option(help="Who or what it is for; shown in lists.")],
    scope: Annotated[list[ScopeName], typer.Option(help="What it allows; give it several times for several.")],
    days: Annotated[int | None, typer.Option(min=1, max=36500, help="How long it holds; for ever by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="A new file to write it to, readable by you alone.")] = None,
) -> None:
    """Make a key. It is shown this once: the database keeps a hash of it."""
    from eigenwarp_cli.database import deployment_database
    from eigenwarp_cli.secret_file import secret_file
    from service.keys import create_key

    lifetime = None if days is None else timedelta(days=days)
    scopes = {_SCOPES[one] for one in scope}
    with deployment_database() as database:
        if out is None:
            key = create_key(database, name, scopes, lifetime)
            print_text(key.reveal())
        else:
            # The file first: a key that cannot be written down would be made in vain.
            with secret_file(out) as write:
                key = create_key(database, name, scopes, lifetime)
                write(key.reveal())
    allowed = ", ".join(sorted(scopes))
    progress_console().print(f"key {key.id} for {name}: {allowed}", markup=False, highlight=False)


@app.command("list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="JSON in place of a table.")] = False) -> None:
    """All keys, revoked ones included, without their secrets."""
    import json

    from eigenwarp_cli.database import deployment_database

    with deployment_database() as database:
        keys = database.keys.list()
    if as_json:
        print_text(json.dumps([_row(key) for key in keys], indent=1))
    elif keys:
        _print_table(keys)
    else:
        progress_console().print("no keys: the service answers this machine alone")


@app.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="As in `eigenwarp keys list`.")]) -> None:
    """End a key. It is refused from the next request on."""
    from eigenwarp_cli.database import deployment_database

    with deployment_database() as database:
        key = database.keys.revoke(key_id)
    progress_console().print(f"key {key.id} for {key.name} is revoked", markup=False, highlight=False)


def _row(key: "KeyRecord") -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }


def _print_table(keys: "list[KeyRecord]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None)
    for heading in ("id", "name", "scopes", "created", "expires", "revoked"):
        table.add_column(heading)
    for key in keys:
        times = (f"{time:%Y-%m-%d %H:%M}" if time else "" for time in (key.created_at, key.expires_at, key.revoked_at))
        table.add_row(key.id, Text(key.name), ", ".join(sorted(key.scopes)), *times)
    results().print(table, highlight=False)
