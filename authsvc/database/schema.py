"""The database's schema: brought up to date by one process at a time, as a whole or not at all."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, OperationalError

from authsvc.database import LOCK_SECONDS, engine_options, prepare_engine, write_options

MIGRATIONS = Path(__file__).parent.parent / "migrations"
ADVISORY_LOCK = 4_127_300_901
"""Our name for the lock that a migration holds on Postgres; any fixed number will do."""


class DatabaseUnfit(Exception):
    """This code cannot work with the database as it is; the message says why and what to do."""


def upgrade(url: str, revision: str = "head", migrations: Path = MIGRATIONS) -> None:
    """Bring the database up to a revision, by default the newest.

    Any number of processes may call this at once. A migration that fails leaves no trace.

    Args:
        url: ``sqlite:///`` with a file, or ``postgresql+psycopg://``.
        revision: a revision's id, or ``head``.
        migrations: the folder that holds ``env.py`` and ``versions``.
    """
    _migrate(url, migrations, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str, migrations: Path = MIGRATIONS) -> None:
    """Take the database back to a revision, or to ``base``: no table at all."""
    _migrate(url, migrations, lambda config: command.downgrade(config, revision))


def newest() -> str:
    """The revision that this code needs."""
    return cast(str, _scripts(MIGRATIONS).get_current_head())


def require_newest(url: str, migrations: Path = MIGRATIONS) -> None:
    """Make sure that the database has what this code needs.

    A revision that this code does not know is a newer one, whose migration has run before the
    new code came: it is taken. No connection outlives the call.

    Raises:
        DatabaseUnfit: it has not, or is no database.
        OperationalError: the database does not answer.
    """
    try:
        revision = _revision_of(url)
    except OperationalError:
        raise
    except DatabaseError as error:
        raise DatabaseUnfit(f"the database cannot be read: {error.orig}") from None
    scripts = _scripts(migrations)
    needed = scripts.get_current_head()
    older = {script.revision for script in scripts.walk_revisions()} - {needed}
    if revision is None:
        state = "has no tables yet"
    elif revision in older:
        state = f"is at revision {revision}, and this version needs {needed}"
    else:
        return
    raise DatabaseUnfit(f"the database {state}: run `python -m authsvc db upgrade`")


def require_durable(url: str) -> None:
    """Make sure that a commit is on the disk when the database says that it is done.

    Our connections ask for that themselves, but a pooler before Postgres may drop the wish.

    Raises:
        DatabaseUnfit: a crash could bring back a session that was ended.
        OperationalError: the database does not answer.
    """
    engine = create_engine(url, **{**_only_connect_args(url), "poolclass": NullPool})
    prepare_engine(engine)
    sqlite = engine.dialect.name == "sqlite"
    query = "PRAGMA synchronous" if sqlite else "SHOW synchronous_commit"
    with engine.connect() as connection:
        value = connection.execute(text(query)).scalar_one()
    if value in ("off", 0, 1):  # of SQLite: OFF and NORMAL
        name = query.split()[1]
        raise DatabaseUnfit(
            f"the database's {name} is {value}, so a crash could bring back sessions that were "
            f"ended: set it to {'FULL' if sqlite else 'on'} for authsvc's connections"
        )


def _revision_of(url: str) -> str | None:
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and not Path(parts.database or "").exists():
        return None  # connecting would make the file
    engine = create_engine(url, **{**_only_connect_args(url), "poolclass": NullPool})
    with engine.connect() as connection:
        return present(connection)


def _scripts(migrations: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(migrations))


def present(connection: Connection) -> str | None:
    """The revision that the database has; None for one without our tables."""
    return MigrationContext.configure(connection).get_current_revision()


def _migrate(url: str, migrations: Path, run: Any) -> None:
    engine = create_engine(url, **{**_only_connect_args(url), "poolclass": NullPool})
    prepare_engine(engine)
    sqlite = engine.dialect.name == "sqlite"
    with _alone_on_sqlite(engine) if sqlite else _alone_on_postgres(engine) as connection:
        config = _config(migrations)
        config.attributes["connection"] = connection
        run(config)


def _config(migrations: Path) -> Config:
    config = Config()
    # A percent sign would begin a variable in this file format.
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config


def _only_connect_args(url: str) -> dict[str, Any]:
    options = engine_options(url)
    return {"connect_args": options["connect_args"], "hide_parameters": True}


@contextmanager
def _alone_on_sqlite(engine: Engine) -> Iterator[Connection]:
    """The switch to WAL does not wait for others by itself, hence a lock on a file of our own."""

    @event.listens_for(engine, "connect")
    def let_tables_be_rebuilt(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA foreign_keys = OFF")  # or dropping a table empties its children

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
                    raise RuntimeError("the migration left rows that refer to nothing")


@contextmanager
def _alone_on_postgres(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": ADVISORY_LOCK})
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        yield connection
