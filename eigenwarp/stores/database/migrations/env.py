"""Run by Alembic, in the transaction of the connection that ``eigenwarp.stores.database.migration`` gives."""

from alembic import context
from sqlalchemy import Connection

from eigenwarp.stores.database.tables import metadata

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter a column: Alembic copies the table.
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
context.run_migrations()
