"""Flask-Migrate for an operator's own tables, beside the migrations of authsvc.

migrate = Migrate(app, db, include_object=include_object)
migrate.configure(authsvc_first)
"""

from typing import Any, TypeVar

import click
from flask import current_app
from sqlalchemy import Connection, Engine, event, text

from authsvc.database import db, our_tables, schema
from authsvc.database.version_table import VERSION_TABLE

Config = TypeVar("Config")

COMMANDS = ("upgrade", "migrate", "revision", "check")
"""The commands of Flask-Migrate that need authsvc's tables."""
_SUSPENSION = "authsvc.foreign_keys"


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

    On SQLite it also switches foreign keys off while migrations run: SQLite changes a table by
    dropping it, which would delete the rows that refer to it. They are checked before the commit.

    Raises:
        DatabaseUnfit: the database's folder does not exist, or the database is not in UTF-8.
    """
    context = click.get_current_context(silent=True)
    if context is not None and context.info_name not in (*COMMANDS, "downgrade"):
        return config
    if context is not None and context.params.get("sql"):
        return config  # it prints the statements, and opens no database
    if context is None or context.info_name != "downgrade":
        schema.upgrade(current_app.config["SQLALCHEMY_DATABASE_URI"])
    if db.engine.name == "sqlite":
        extensions = current_app.extensions
        if _SUSPENSION not in extensions:
            extensions[_SUSPENSION] = _Suspension(db.engine)
        extensions[_SUSPENSION].arm()
    return config


class _Suspension:
    """Foreign keys that are off for one connection at a time, the next one that is armed for.

    Args: engine: the engine whose connections they are.
    """

    def __init__(self, engine: Engine) -> None:
        self._armed = False
        self._connection: Any = None
        event.listen(engine, "checkout", self._suspend)
        event.listen(engine, "commit", self._check)
        event.listen(engine, "checkin", self._resume)

    def arm(self) -> None:
        """Switch foreign keys off for the next connection that is taken from the pool."""
        self._armed = True

    def _suspend(self, connection: Any, record: Any, proxy: Any) -> None:
        if self._armed:
            self._armed, self._connection = False, connection
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

    def _resume(self, connection: Any, record: Any) -> None:
        if connection is not None and connection is self._connection:
            self._connection = None
            connection.execute("PRAGMA foreign_keys = ON")
