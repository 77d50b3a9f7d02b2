"""The `db` commands: upgrade, copy, back up and restore the database."""

from pathlib import Path

import click

from authsvc.cli.commands import Commands
from authsvc.cli.shell import clear_errors, upgrade_database


@click.group(cls=Commands)
def db() -> None:
    """The database."""


def _database_url(context: click.Context, argument: click.Parameter, text: str) -> str:
    from authsvc.settings.values import checked_database_url

    try:
        return checked_database_url(text)
    except ValueError as error:
        raise click.BadParameter(f"it {error}") from None


@db.command("upgrade")
def upgrade() -> None:
    """Upgrade the tables to this version.

    Run it before the first start and after each update of authsvc. It is safe to run at any time,
    also from several machines at once.
    """
    with clear_errors():
        click.echo(upgrade_database())


@db.command("copy")
@click.argument("source", metavar="FROM", callback=_database_url)
@click.argument("target", metavar="TO", callback=_database_url)
def copy(source: str, target: str) -> None:
    """Copy all rows into an empty database.

    Both are URLs. Stop the service first: rows that are written during the copy are not copied.
    The command creates the tables in TO.

    \b
    authsvc db copy sqlite:////var/lib/authsvc/authsvc.db postgresql://authsvc@db/authsvc
    """
    from sqlalchemy.exc import DBAPIError

    from authsvc.database import copying
    from authsvc.database.errors import DatabaseUnfit

    try:
        for table, rows in copying.copy(source, target):
            click.echo(f"{table}: {rows}", err=True)
        others = copying.other_tables(source)
    except copying.CannotCopy as error:
        raise click.ClickException(str(error)) from None
    except DatabaseUnfit as error:
        raise click.ClickException(f"One of the two databases cannot be used: {error}") from None
    except DBAPIError as error:
        raise click.ClickException(
            f"One of the two databases cannot be used: {error.orig}"
        ) from None
    click.echo(
        "All rows of authsvc are copied. Set AUTHSVC_DATABASE_URL to the new database, and start "
        "the service."
    )
    if others:
        click.echo(f"These tables are not authsvc's and were not copied: {', '.join(others)}.")


@db.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Copy the SQLite database to FILE.

    The copy is consistent; the service may be running. An existing FILE is not overwritten.
    For Postgres, use pg_dump.
    """
    from authsvc.database import sqlite_backup

    with clear_errors():
        sqlite_backup.backup(_sqlite_file("pg_dump"), file)
    click.echo(f"Wrote {file}. It holds password hashes: keep it secret.")


@db.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(file: Path) -> None:
    """Replace the SQLite database by FILE.

    FILE is what `db backup` wrote. Stop the service first. The old database is kept beside the
    new one. For Postgres, use pg_restore.
    """
    from authsvc.database import sqlite_backup

    with clear_errors():
        database = _sqlite_file("pg_restore")
        old = sqlite_backup.restore(file, database)
    click.echo(f"Restored {database}.")
    if old is not None:
        click.echo(f"The old database is {old}: delete it when you no longer need it.")
    click.echo(
        "Now run `python -m authsvc db upgrade` and `python -m authsvc sessions revoke --all`: "
        "the backup holds sessions that were revoked after it was made."
    )


def _sqlite_file(program: str) -> Path:
    from authsvc.database import sqlite_backup
    from authsvc.database.sqlite_files import sqlite_file
    from authsvc.settings.sources import instance_folder, load_settings

    file = sqlite_file(load_settings(instance_folder()).database_url.get_secret_value())
    if file is None:
        raise sqlite_backup.CannotBackUp(f"The database is not SQLite: use Postgres' {program}.")
    return file
