"""The encoding of a Postgres database, which must be able to hold every address and name."""

from sqlalchemy import Connection, text

from authsvc.database.errors import DatabaseUnfit


def require_utf8(connection: Connection) -> None:
    """Check that a Postgres database stores text in UTF-8.

    Raises:
        DatabaseUnfit: it has another encoding.
    """
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise DatabaseUnfit(
            f"the database's encoding is {encoding}, which cannot hold every character: create "
            "one with `createdb --encoding UTF8 --template template0` and copy the data into it"
        )
