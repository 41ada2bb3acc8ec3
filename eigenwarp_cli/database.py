"""The deployment's database, for commands that keep its accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eigenwarp.stores.database import Database


@contextmanager
def deployment_database() -> "Iterator[Database]":
    """The database that the environment's settings name, at this release's schema.

    A SQLite file is made where there is none, so that a key can be made before the server's first start.

    Raises:
        StoreUnavailableError: it does not answer, or a server's schema is not this release's.
    """
    from eigenwarp.settings import load_settings
    from eigenwarp.stores.database import open_database

    settings = load_settings()
    database = open_database(settings.database)
    try:
        if settings.database.startswith("sqlite"):
            database.migrate()
        else:
            database.check()
        yield database
    finally:
        database.close()
