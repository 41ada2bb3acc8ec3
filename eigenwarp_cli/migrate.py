"""``eigenwarp migrate``: bring the database to this release's schema."""

from eigenwarp_cli.output import progress_console


def migrate() -> None:
    """Bring the database that EIGENWARP_DATABASE_URL names to this release's schema; again, it changes nothing."""
    from eigenwarp.settings import load_settings
    from eigenwarp.stores.database import open_database

    database = open_database(load_settings().database)
    try:
        database.migrate()
        database.check()
    finally:
        database.close()
    progress_console().print("the database has this release's schema")
