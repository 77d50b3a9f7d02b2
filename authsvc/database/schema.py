"""Upgrade the database's schema: one process at a time, completely or not at all."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, event, text

from authsvc.database import LOCK_SECONDS, write_options
from authsvc.database.encoding import require_utf8
from authsvc.database.revisions import MIGRATIONS, newest, revisions
from authsvc.database.sqlite_files import make_private, open_lock, require_folder
from authsvc.database.unpooled import unpooled_engine
from authsvc.database.version_table import adopt, present

ADVISORY_LOCK = 4_127_300_901
"""The number of the lock that a migration holds on Postgres. Any fixed number would do."""


def upgrade(url: str, revision: str = "head", migrations: Path = MIGRATIONS) -> str | None:
    """Upgrade the database to a revision, by default the newest, and return the one that it has.

    Any number of processes may call this at once. A migration that fails changes nothing. A
    revision that this code does not know is newer, as after a rollback of the code: the database
    is left as it is, since a migration only adds what the version before it can ignore.

    Args:
        url: ``sqlite:///`` with a file, or ``postgresql+psycopg://``.
        revision: a revision's id, or ``head``.
        migrations: the folder that holds ``env.py`` and ``versions``.

    Raises:
        DatabaseUnfit: the database's folder does not exist, or the database is not in UTF-8.
    """
    wanted = newest(migrations) if revision == "head" else revision
    return _migrate(url, migrations, "upgrade", wanted)


def downgrade(url: str, revision: str, migrations: Path = MIGRATIONS) -> None:
    """Downgrade the database to a revision, or to ``base``: no tables."""
    _migrate(url, migrations, "downgrade", revision)


@contextmanager
def alone(url: str) -> Iterator[None]:
    """Let no other process upgrade the database, by this or by `upgrade`, during the block."""
    engine = unpooled_engine(url)
    if engine.dialect.name == "sqlite":
        with _locked_file(Path(engine.url.database or "")):
            yield
    else:
        with engine.begin() as connection:
            _lock_upgrades(connection)
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield


def _migrate(
    url: str, migrations: Path, direction: Literal["upgrade", "downgrade"], wanted: str
) -> str | None:
    engine = unpooled_engine(url)
    sqlite = engine.dialect.name == "sqlite"
    with _lock_sqlite(engine) if sqlite else _lock_postgres(engine) as connection:
        known = revisions(migrations)
        adopt(connection, known)
        before = present(connection)
        if before == wanted or (before is not None and before not in known):
            return before
        _run_alembic(connection, migrations, direction, wanted)
        if sqlite and connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
            raise RuntimeError("the migration left rows that refer to missing rows")
        return present(connection)


def _run_alembic(
    connection: Connection,
    migrations: Path,
    direction: Literal["upgrade", "downgrade"],
    revision: str,
) -> None:
    # Imported here: the service need not import it where the database is up to date.
    from alembic import command
    from alembic.config import Config

    config = Config()
    # A percent sign would begin a variable in this file format.
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    run = command.upgrade if direction == "upgrade" else command.downgrade
    run(config, revision)


@contextmanager
def _lock_sqlite(engine: Engine) -> Iterator[Connection]:
    """Lock a file beside the database: the switch to WAL does not wait for other connections."""

    @event.listens_for(engine, "connect")
    def turn_foreign_keys_off(connection: Any, record: Any) -> None:
        # Rebuilding a table drops the old one, which would delete the rows that refer to it.
        connection.execute("PRAGMA foreign_keys = OFF")

    file = Path(engine.url.database or "")
    require_folder(file)
    with _locked_file(file):
        make_private(file)
        with engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
            connection.execution_options(**write_options)
            with connection.begin():
                yield connection


@contextmanager
def _locked_file(file: Path) -> Iterator[None]:
    lock = open_lock(file.with_name(f"{file.name}.lock"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def _lock_postgres(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        require_utf8(connection)
        _lock_upgrades(connection)
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        yield connection


def _lock_upgrades(connection: Connection) -> None:
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": ADVISORY_LOCK})
