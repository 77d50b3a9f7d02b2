"""Flask-Migrate for an operator's own tables, beside the migrations of authsvc.

migrate = Migrate(app, db, include_object=include_object)
migrate.configure(authsvc_first)
"""

from pathlib import Path
from typing import Any, TypeVar

import click
from flask import current_app
from sqlalchemy import Connection, Engine, event, text

from authsvc.database import db, our_tables, schema
from authsvc.database.errors import DatabaseUnfit
from authsvc.database.sqlite_files import sqlite_file
from authsvc.database.version_table import VERSION_TABLE

Config = TypeVar("Config")

COMMANDS = ("upgrade", "migrate", "revision", "check")
"""The commands of Flask-Migrate that need authsvc's tables."""
MIGRATION_SECONDS = 24 * 60 * 60.0
"""For a statement of a migration, such as an index on a large table."""
_MIGRATIONS = "authsvc.migrations"


def include_object(
    item: Any, name: str | None, type_: str, reflected: bool, compare_to: Any
) -> bool:
    """Return whether Alembic compares the object: not if it is one of authsvc's tables.

    Args: those of Alembic's `include_object`.
    """
    if type_ != "table" or item.schema is not None:
        return True
    return name != VERSION_TABLE and name not in {table.name for table in our_tables()}


def authsvc_first(config: Config) -> Config:
    """Upgrade authsvc's tables before a command of Flask-Migrate upgrades or compares others.

    Several machines may run the command at once: one waits until the other has finished.

    On SQLite it also switches foreign keys off while migrations run: SQLite changes a table by
    dropping it, which would delete the rows that refer to it. They are checked before the commit.
    On Postgres a statement of a migration may take longer than those of requests.

    Raises:
        DatabaseUnfit: the database's folder does not exist, or the database is not in UTF-8.
    """
    context = click.get_current_context(silent=True)
    command = "upgrade" if context is None else context.info_name  # None for a call from Python
    if command not in (*COMMANDS, "downgrade") or (context and context.params.get("sql")):
        return config  # the command prints something, and may not need a database
    url = current_app.config["SQLALCHEMY_DATABASE_URI"]
    if command != "downgrade":
        _upgrade_ours(url, context)
    if context is not None:
        context.with_resource(schema.alone(url))
    extensions = current_app.extensions
    if _MIGRATIONS not in extensions:
        kind = _OnSQLite if db.engine.name == "sqlite" else _OnPostgres
        extensions[_MIGRATIONS] = kind(db.engine)
    extensions[_MIGRATIONS].armed = True
    return config


def _upgrade_ours(url: str, context: click.Context | None) -> None:
    file = sqlite_file(url)
    if file is not None and file.parent.resolve() == Path(current_app.instance_path).resolve():
        file.parent.mkdir(exist_ok=True)
    try:
        schema.upgrade(url)
    except DatabaseUnfit as error:
        if context is None:
            raise
        raise click.ClickException(f"The database cannot be used: {error}.") from None


class _OnSQLite:
    """Foreign keys are off for the next connection after `armed` was set.

    Args: engine: the engine whose connections they are.
    """

    def __init__(self, engine: Engine) -> None:
        self.armed = False
        self._connection: Any = None
        event.listen(engine, "checkout", self._take)
        event.listen(engine, "commit", self._check)
        event.listen(engine, "checkin", self._return)

    def _take(self, connection: Any, record: Any, proxy: Any) -> None:
        if self.armed:
            self.armed, self._connection = False, connection
            connection.execute("PRAGMA foreign_keys = OFF")

    def _check(self, connection: Connection) -> None:
        if connection.connection.driver_connection is not self._connection:
            return
        broken = connection.execute(text("PRAGMA foreign_key_check")).first()
        if broken is not None:
            raise RuntimeError(
                f"The migration would leave rows of {broken[0]} that refer to missing rows of "
                f"{broken[2]}. It was rolled back."
            )

    def _return(self, connection: Any, record: Any) -> None:
        if connection is not None and connection is self._connection:
            self._connection = None
            connection.execute("PRAGMA foreign_keys = ON")


class _OnPostgres:
    """Statements may take as long as they need on the next connection after `armed` was set.

    Args: engine: the engine whose connections they are.
    """

    def __init__(self, engine: Engine) -> None:
        self.armed = False
        self._connection: Any = None
        event.listen(engine, "checkout", self._take)
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "checkin", self._return)

    def _take(self, connection: Any, record: Any, proxy: Any) -> None:
        if self.armed:
            self.armed, self._connection = False, connection
            connection.deadline = MIGRATION_SECONDS

    def _begin(self, connection: Connection) -> None:
        if connection.connection.driver_connection is self._connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")

    def _return(self, connection: Any, record: Any) -> None:
        if connection is self._connection:
            self._connection = None
