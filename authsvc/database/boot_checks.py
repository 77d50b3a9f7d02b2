"""What the database must be before the service starts: up to date, and durable."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, OperationalError

from authsvc.database import schema
from authsvc.database.unpooled import unpooled_engine


class DatabaseUnfit(Exception):
    """This code cannot work with the database. The message says why and what to do."""


def require_newest(url: str, migrations: Path = schema.MIGRATIONS) -> None:
    """Check that the database has every table and column that this code needs.

    A revision that this code does not know is newer: its migration ran before the new code was
    deployed, and the code accepts it. No connection outlives the call.

    Raises:
        DatabaseUnfit: the schema is missing or too old, or the file is not a database.
        OperationalError: the database does not answer.
    """
    try:
        revision = _revision_of(url)
    except OperationalError:
        raise
    except DatabaseError as error:
        raise DatabaseUnfit(f"the database cannot be read: {error.orig}") from None
    scripts = schema.scripts(migrations)
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
    """Check that a commit is on disk when the database confirms it.

    Our connections set this themselves, but a pooler before Postgres may drop the setting.

    Raises:
        DatabaseUnfit: a crash could undo a logout.
        OperationalError: the database does not answer.
    """
    engine = unpooled_engine(url)
    sqlite = engine.dialect.name == "sqlite"
    query = "PRAGMA synchronous" if sqlite else "SHOW synchronous_commit"
    with engine.connect() as connection:
        value = connection.execute(text(query)).scalar_one()
    if value in ("off", 0, 1):  # SQLite's 0 is OFF, 1 is NORMAL
        name = query.split()[1]
        raise DatabaseUnfit(
            f"the database's {name} is {value}, so a crash could restore sessions that were "
            f"revoked: set it to {'FULL' if sqlite else 'on'} for authsvc's connections"
        )


def _revision_of(url: str) -> str | None:
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and not Path(parts.database or "").exists():
        return None  # connecting would create the file
    with unpooled_engine(url).connect() as connection:
        return schema.present(connection)
