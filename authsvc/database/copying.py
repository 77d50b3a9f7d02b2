"""Copy every row of one database into another, all of them or none."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, insert, inspect, select

from authsvc.database import our_tables, schema, write_options
from authsvc.database.revisions import newest
from authsvc.database.unpooled import unpooled_engine
from authsvc.database.version_table import OLD_VERSION_TABLE, VERSION_TABLE, present

PAGE = 1000
"""Rows in one INSERT."""


class CannotCopy(Exception):
    """One of the two databases is not in the state that a copy needs."""


def copy(source: str, target: str) -> Iterator[tuple[str, int]]:
    """Copy all rows, and yield each table's name and number of rows once it is copied.

    Args:
        source: the URL of a database that is up to date.
        target: the URL of a database without rows; its tables are created.

    Raises:
        CannotCopy: the source is not up to date, or the target has rows.
    """
    with unpooled_engine(source).connect() as old:
        if present(old) != newest():
            raise CannotCopy("FROM is not up to date: run `authsvc db upgrade` on it first.")
    schema.upgrade(target)
    with _snapshot(source) as old, unpooled_engine(target).connect() as new:
        new.execution_options(**write_options)
        with new.begin():
            yield from _copy_tables(old, new)


def other_tables(url: str) -> list[str]:
    """Return the tables of a database that are not authsvc's, which `copy` does not copy."""
    ours = {VERSION_TABLE, OLD_VERSION_TABLE, *(table.name for table in our_tables())}
    with unpooled_engine(url).connect() as connection:
        return sorted(set(inspect(connection).get_table_names()) - ours)


def _copy_tables(old: Connection, new: Connection) -> Iterator[tuple[str, int]]:
    tables = our_tables()
    for table in tables:
        if new.execute(select(func.count()).select_from(table)).scalar_one():
            raise CannotCopy(f"TO has rows in {table.name} already.")
    for table in tables:
        copied = 0
        for rows in old.execution_options(yield_per=PAGE).execute(select(table)).partitions():
            new.execute(insert(table), [dict(row._mapping) for row in rows])
            copied += len(rows)
        yield table.name, copied


def _snapshot(url: str) -> Connection:
    """Return a connection that sees all tables as they are at one moment."""
    connection = unpooled_engine(url).connect()
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ")
    else:
        connection.exec_driver_sql("BEGIN")
    return connection
