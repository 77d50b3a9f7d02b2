"""Moving to another database: every row of one is copied into another, as a whole or not at all."""

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, NullPool, create_engine, func, insert, select

from authsvc.database import Base, engine_options, prepare_engine, schema, write_options

PAGE = 1000
"""Rows in one INSERT."""


class CannotCopy(Exception):
    """The two databases are not such that one can be copied into the other."""


def copy(source: str, target: str) -> Iterator[tuple[str, int]]:
    """Copy all rows; gives each table's name and number of rows when it is done.

    Args:
        source: the URL of a database that is up to date.
        target: the URL of a database without rows; its tables are made.

    Raises:
        CannotCopy: the source is not up to date, or the target has rows.
    """
    with _engine(source).connect() as old:
        if schema.present(old) != schema.newest():
            raise CannotCopy("FROM is not up to date: run `authsvc db upgrade` on it first.")
    schema.upgrade(target)
    with _snapshot(source) as old, _engine(target).connect() as new:
        new.execution_options(**write_options)
        with new.begin():
            yield from _copy_tables(old, new)


def _copy_tables(old: Connection, new: Connection) -> Iterator[tuple[str, int]]:
    tables = Base.metadata.sorted_tables
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
    """All tables as they are at one moment."""
    connection = _engine(url).connect()
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ")
    else:
        connection.exec_driver_sql("BEGIN")
    return connection


def _engine(url: str) -> Engine:
    options = engine_options(url)
    engine = create_engine(
        url, connect_args=options["connect_args"], hide_parameters=True, poolclass=NullPool
    )
    prepare_engine(engine)
    return engine
