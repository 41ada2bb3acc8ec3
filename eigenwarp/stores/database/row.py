"""How a row of any table is typed; its columns are read by name."""

from typing import Any, TypeAlias

from sqlalchemy import Row

TableRow: TypeAlias = Row[*tuple[Any, ...]]
