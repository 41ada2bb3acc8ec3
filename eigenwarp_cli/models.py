"""``eigenwarp models``: what can be named with ``--model``, and what a service computes with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp_cli.application import new_application
from eigenwarp_cli.output import print_text, progress_console, results

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eigenwarp.schemas.document import ModelReference
    from eigenwarp.schemas.manifest import Manifest
    from eigenwarp.schemas.models import ModelRow
    from eigenwarp.settings import Settings
    from eigenwarp.stores.models import ModelStore
    from worker.engine import Engine

app = new_application("List models; publish them to a service.", root=False)
app.info.no_args_is_help = False

JsonOption = Annotated[bool, typer.Option("--json", help="JSON in place of a table.")]


@app.callback(invoke_without_command=True)
def models(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the models found in EIGENWARP_MODELS, in ./models and beside the program."""
    if context.invoked_subcommand is not None:
        return
    rows = model_rows()
    if not rows and not as_json:
        progress_console().print("no models found: set EIGENWARP_MODELS to a folder of bundles")
    else:
        _print(rows, as_json)


@app.command("publish")
def publish(
    names: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Names or folders of bundles.")],
) -> None:
    """Put bundles into the service's object store, where each name means the version published last.

    Settings come from the environment. Running services and workers take a new version up without a restart. Publishing
    the same again changes nothing.
    """
    from eigenwarp.settings import load_settings
    from worker.engine import Engine

    engine = Engine()
    with published_models(load_settings()) as store:
        for name in names:
            found = publish_bundle(store, engine, name)
            print_text(f"published {found.name}@{found.version}")


def publish_bundle(store: "ModelStore", engine: "Engine", name: str) -> "ModelReference":
    """A bundle, by its name or folder, into an object store, with the description of its components.

    Raises:
        ModelUnknownError: no such bundle.
        BundleInvalidError: one that is incomplete or altered.
        StoreUnavailableError: the store does not answer.
    """
    from eigenwarp.errors import ModelUnknownError
    from eigenwarp.model.catalogue import find_bundle
    from eigenwarp.schemas.components import ComponentTable
    from worker.engine import describe_components
    from worker.report import reference

    model = engine.model(name)
    try:
        table = describe_components(model)
    except ModelUnknownError:
        # A bundle without a basis registers all the same.
        table = ComponentTable(model=reference(model), rows=[])
    return store.publish(find_bundle(name), table)


@app.command("published")
def published(as_json: JsonOption = False) -> None:
    """List what the service's object store holds; of each name the version that it means comes first."""
    from eigenwarp.settings import load_settings

    with published_models(load_settings()) as store:
        rows = [_row(model.manifest) for model in store.list()]
    if not rows and not as_json:
        progress_console().print("no models are published: eigenwarp models publish NAME")
    else:
        _print(rows, as_json)


def model_rows() -> "list[ModelRow]":
    """Every bundle that can be found."""
    from eigenwarp.model.catalogue import list_bundles

    return [_row(manifest) for _, manifest in list_bundles().values()]


@contextmanager
def published_models(settings: "Settings") -> "Iterator[ModelStore]":
    """The models of a service's object store, which is closed in the end."""
    from eigenwarp.stores.models import ModelStore
    from eigenwarp.stores.objects import open_object_store

    objects = open_object_store(settings)
    try:
        yield ModelStore(objects)
    finally:
        objects.close()


def _row(manifest: "Manifest") -> "ModelRow":
    from eigenwarp.schemas.models import ModelRow

    return ModelRow(
        name=manifest.name,
        version=manifest.version,
        created=manifest.created,
        labels=manifest.labels,
        data=manifest.provenance.data,
        steps=manifest.provenance.steps,
        metrics=manifest.metrics,
    )


def _print(rows: "Iterable[ModelRow]", as_json: bool) -> None:
    if as_json:
        print_text(json.dumps([row.model_dump(mode="json") for row in rows], indent=1))
    else:
        _print_table(rows)


def _print_table(rows: "Iterable[ModelRow]") -> None:
    from rich.table import Table

    table = Table(box=None)
    for heading in ("name", "version", "created", "labels", "data", "Dice"):
        table.add_column(heading)
    for row in rows:
        scores = ", ".join(f"{method} {m['dice']:.3f}" for method, m in row.metrics.items() if "dice" in m)
        labels = ", ".join(f"{label} {name}" for name, label in row.labels.items())
        table.add_row(row.name, row.version, row.created, labels, row.data, scores)
    results().print(table, highlight=False)
