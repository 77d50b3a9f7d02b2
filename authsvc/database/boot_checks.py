"""Check the database before the service starts: it is up to date, in UTF-8, and durable."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from authsvc.database import our_tables
from authsvc.database.encoding import require_utf8
from authsvc.database.errors import DatabaseUnfit
from authsvc.database.revisions import MIGRATIONS, newest, revisions
from authsvc.database.sqlite_files import require_folder, sqlite_file
from authsvc.database.unpooled import unpooled_engine
from authsvc.database.version_table import present_or_old

__all__ = ["DatabaseUnfit", "require_durable", "require_newest"]

UPGRADE = "run `python -m authsvc db upgrade`"


def require_newest(url: str, migrations: Path = MIGRATIONS) -> str | None:
    """Check that the database has every table and column that this code needs.

    A revision that this code does not know is newer: its migration ran before the new code was
    deployed, or the code was rolled back. The code accepts it, since migrations only add. No
    connection outlives the call.

    Returns:
        The newer revision, where there is one.

    Raises:
        DatabaseUnfit: the schema is missing or too old, or it is not such a database.
        OperationalError: the database does not answer.
    """
    file = sqlite_file(url)
    if file is not None:
        require_folder(file)
        if not file.exists():  # connecting would create it
            raise DatabaseUnfit(f"the database has no tables yet: {UPGRADE}")
    try:
        with unpooled_engine(url).connect() as connection:
            return _require_newest(connection, migrations)
    except OperationalError:
        raise
    except DatabaseError as error:
        raise DatabaseUnfit(f"the database cannot be read: {error.orig}") from None


def _require_newest(connection: Connection, migrations: Path) -> str | None:
    if connection.dialect.name == "postgresql":
        require_utf8(connection)
    known = revisions(migrations)
    needed = newest(migrations)
    revision = present_or_old(connection, known)
    if revision is None:
        raise DatabaseUnfit(f"the database has no tables yet: {UPGRADE}")
    if revision in known and revision != needed:
        raise DatabaseUnfit(
            f"the database is at revision {revision}, and this version needs {needed}: {UPGRADE}"
        )
    inspector = inspect(connection)
    missing = {table.name for table in our_tables() if not inspector.has_table(table.name)}
    if missing:
        raise DatabaseUnfit(
            f"the database lacks authsvc's tables {', '.join(sorted(missing))}: restore a backup, "
            "or correct the search_path of AUTHSVC_DATABASE_URL"
        )
    return None if revision in known else revision


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
