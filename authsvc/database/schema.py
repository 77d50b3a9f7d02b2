"""Upgrade the database's schema: one process at a time, completely or not at all."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import make_url

from authsvc.database import LOCK_SECONDS, write_options
from authsvc.database.unpooled import unpooled_engine

MIGRATIONS = Path(__file__).parent.parent / "migrations"
ADVISORY_LOCK = 4_127_300_901
"""The number of the lock that a migration holds on Postgres. Any fixed number would do."""


def upgrade(url: str, revision: str = "head", migrations: Path = MIGRATIONS) -> None:
    """Upgrade the database to a revision, by default the newest.

    Any number of processes may call this at once. A migration that fails changes nothing.

    Args:
        url: ``sqlite:///`` with a file, or ``postgresql+psycopg://``.
        revision: a revision's id, or ``head``.
        migrations: the folder that holds ``env.py`` and ``versions``.
    """
    _migrate(url, migrations, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str, migrations: Path = MIGRATIONS) -> None:
    """Downgrade the database to a revision, or to ``base``: no tables."""
    _migrate(url, migrations, lambda config: command.downgrade(config, revision))


def newest() -> str:
    """Return the revision that this code needs."""
    return cast(str, scripts(MIGRATIONS).get_current_head())


def present(connection: Connection) -> str | None:
    """Return the database's revision; None for a database without our tables."""
    return MigrationContext.configure(connection).get_current_revision()


def scripts(migrations: Path) -> ScriptDirectory:
    """Return the revisions of a migrations folder."""
    return ScriptDirectory.from_config(_config(migrations))


def _migrate(url: str, migrations: Path, run: Callable[[Config], None]) -> None:
    engine = unpooled_engine(url)
    sqlite = engine.dialect.name == "sqlite"
    with _lock_sqlite(engine) if sqlite else _lock_postgres(engine) as connection:
        config = _config(migrations)
        config.attributes["connection"] = connection
        run(config)


def _config(migrations: Path) -> Config:
    config = Config()
    # A percent sign would begin a variable in this file format.
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config


@contextmanager
def _lock_sqlite(engine: Engine) -> Iterator[Connection]:
    """Lock a file beside the database: the switch to WAL does not wait for other connections."""

    @event.listens_for(engine, "connect")
    def turn_foreign_keys_off(connection: Any, record: Any) -> None:
        # Rebuilding a table drops the old one, which would delete the rows that refer to it.
        connection.execute("PRAGMA foreign_keys = OFF")

    file = Path(make_url(str(engine.url)).database or "")
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
            connection.execution_options(**write_options)
            with connection.begin():
                yield connection
                if connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
                    raise RuntimeError("the migration left rows that refer to missing rows")


@contextmanager
def _lock_postgres(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": ADVISORY_LOCK})
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        yield connection
