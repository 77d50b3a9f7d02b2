"""Which constraint of an operator's own tables refused that a row is deleted."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Inspector, Uuid, column, exists, inspect, select, table
from sqlalchemy.exc import DBAPIError, IntegrityError

RAISED = "P0001"
"""The SQLSTATE of a plain RAISE EXCEPTION in a trigger. On SQLite it is an IntegrityError."""
FOLLOWS = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})
"""What a foreign key may do when the row that it refers to is deleted, instead of refusing it."""
_FUNCTION = re.compile(r"PL/pgSQL function ([\w.]+)")


def is_refused(error: DBAPIError) -> bool:
    """Return whether a constraint or a trigger refused the statement or the commit."""
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, IntegrityError) or state == RAISED


def refused_by(error: DBAPIError, connection: Connection, key: UUID) -> str:
    """Return what refused to delete a row of `users`: names only, never a value.

    Args:
        error: for which `is_refused` is true.
        connection: reads the database after the rollback.
        key: the id of the row.
    """
    cause: Any = error.orig
    if isinstance(cause, sqlite3.Error):
        return _on_sqlite(cause, connection, key)
    found = cause.diag
    if found.constraint_name:
        return f"the constraint {found.constraint_name} of the table {found.table_name}"
    if found.column_name:
        return f"the column {found.column_name} of the table {found.table_name}, which is NOT NULL"
    function = _FUNCTION.search(found.context or "")
    return f"a trigger ({function[1]})" if function else "a trigger"


def _on_sqlite(cause: sqlite3.Error, connection: Connection, key: UUID) -> str:
    kind, failed, names = str(cause).partition(" constraint failed")
    if not failed:
        return "a trigger"  # whose message may hold a value
    if kind != "FOREIGN KEY":
        return f"a {kind} constraint ({names.removeprefix(': ')})"
    if holding := list(_holding(connection, key)):
        return f"a foreign key ({', '.join(holding)})"
    # Rows that would be deleted with the account are referred to by yet another table.
    return "a foreign key to a table whose rows would be deleted with the account"


def _holding(connection: Connection, key: UUID) -> Iterator[str]:
    """Yield the columns that hold the account's id and would have to keep it."""
    inspector: Inspector = inspect(connection)
    for name in inspector.get_table_names():
        for foreign_key in inspector.get_foreign_keys(name):
            action = foreign_key["options"].get("ondelete", "").upper()
            if foreign_key["referred_table"] == "users" and action not in FOLLOWS:
                held = column(foreign_key["constrained_columns"][0], Uuid())
                if connection.scalar(select(exists().select_from(table(name)).where(held == key))):
                    yield f"{name}.{held.name}"
