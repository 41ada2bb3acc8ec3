"""The schema's way to this release's, on both databases."""

from functools import partial

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from eigenwarp.errors import StoreUnavailableError
from eigenwarp.stores.database import migration
from eigenwarp.stores.database.engine import WRITING, make_engine, parse_url
from eigenwarp.stores.database.tables import metadata
from tests.stores.database.conftest import Open
from tests.stores.database.racing import errors, race
from tests.stores.database.samples import submit


def execute(url: str, *statements: str) -> None:
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_a_migrated_database_is_what_the_tables_say(empty_url: str, opened: Open) -> None:
    opened(empty_url).migrate()
    engine = create_engine(parse_url(empty_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    assert _checks(empty_url) == _checks_of_metadata(empty_url, opened)


def _checks(url: str) -> dict[str, object]:
    """What Alembic does not compare: primary keys, and what happens to rows that refer to a deleted one."""
    engine = create_engine(parse_url(url))
    inspector = inspect(engine)
    found = {
        name: (
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted(
                (key["constrained_columns"], key["referred_table"], str(key["options"].get("ondelete")))
                for key in inspector.get_foreign_keys(name)
            ),
        )
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }
    engine.dispose()
    return found


def _checks_of_metadata(url: str, opened: Open) -> dict[str, object]:
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    engine.dispose()
    return _checks(url)


def test_a_database_without_a_schema_is_refused_and_told_what_to_do(empty_url: str, opened: Open) -> None:
    database = opened(empty_url)
    with pytest.raises(StoreUnavailableError, match=r"has no schema.*eigenwarp migrate"):
        database.check()
    with pytest.raises(StoreUnavailableError, match="eigenwarp migrate"):
        submit(database)
    database.migrate()
    database.check()
    submit(database)


def test_a_database_at_another_schema_is_refused(url: str, opened: Open) -> None:
    database = opened(url)
    database.check()
    execute(url, "UPDATE alembic_version SET version_num = 'later'")
    with pytest.raises(StoreUnavailableError, match=f"at schema later, this release needs {migration.head()}"):
        database.check()


def test_migrating_again_changes_nothing(url: str, opened: Open) -> None:
    database = opened(url)
    job = submit(database)
    database.migrate()
    assert database.jobs.get(job.id) == job


def test_several_that_migrate_at_once_do_it_once(empty_url: str, opened: Open) -> None:
    databases = [opened(empty_url) for _ in range(4)]
    assert errors(race([partial(database.migrate) for database in databases])) == []
    for database in databases:
        database.check()


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty_url: str, opened: Open) -> None:
    # In the way of one of the last tables to be made.
    execute(empty_url, "CREATE TABLE volume_subjects (x INTEGER)")
    with pytest.raises(Exception, match="volume_subjects"):
        opened(empty_url).migrate()
    engine = create_engine(parse_url(empty_url))
    assert inspect(engine).get_table_names() == ["volume_subjects"]
    engine.dispose()
    execute(empty_url, "DROP TABLE volume_subjects")
    database = opened(empty_url)
    database.migrate()
    database.check()


def test_the_way_back_ends_at_nothing_and_can_be_gone_again(url: str, opened: Open) -> None:
    engine = make_engine(parse_url(url))
    _downgrade(engine)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    database = opened(url)
    with pytest.raises(StoreUnavailableError, match="has no schema"):
        database.check()
    database.migrate()
    database.check()


def _downgrade(engine: Engine) -> None:
    with engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
        config = migration._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
