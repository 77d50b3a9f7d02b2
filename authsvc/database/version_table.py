"""The table of the schema's revision: an operator's Alembic uses another one, `alembic_version`."""

from collections.abc import Collection

from sqlalchemy import Connection, inspect, text

VERSION_TABLE = "authsvc_version"
OLD_VERSION_TABLE = "alembic_version"
"""Alembic's own name for it, which a database of an earlier checkout has."""

OUR_COLUMNS = {"users": "email_key", "refresh_tokens": "token_hash"}
"""A column of each table of the first revision, by which a foreign table of that name differs."""


def present(connection: Connection) -> str | None:
    """Return the database's revision; None for a database without our tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    query = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608
    return connection.execute(query).scalar_one_or_none()


def present_or_old(connection: Connection, known: Collection[str]) -> str | None:
    """Return the database's revision, also where `adopt` has not run yet."""
    return present(connection) or _old_revision(connection, known)


def adopt(connection: Connection, known: Collection[str]) -> None:
    """Rename the version table of an earlier checkout; another application's is left alone.

    Args:
        connection: in a transaction that writes.
        known: the ids of our revisions.
    """
    if _old_revision(connection, known) is not None:
        connection.execute(text(f"ALTER TABLE {OLD_VERSION_TABLE} RENAME TO {VERSION_TABLE}"))


def _old_revision(connection: Connection, known: Collection[str]) -> str | None:
    inspector = inspect(connection)
    if inspector.has_table(VERSION_TABLE) or not inspector.has_table(OLD_VERSION_TABLE):
        return None
    for name, our_column in OUR_COLUMNS.items():
        if not inspector.has_table(name) or our_column not in {
            found["name"] for found in inspector.get_columns(name)
        }:
            return None
    rows = connection.execute(text(f"SELECT version_num FROM {OLD_VERSION_TABLE}"))  # noqa: S608
    revisions = list(rows.scalars())
    return revisions[0] if len(revisions) == 1 and revisions[0] in known else None
