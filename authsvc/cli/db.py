"""The `db` commands: upgrade and copy the database."""

import click
from sqlalchemy.exc import DBAPIError

from authsvc.app import instance_folder
from authsvc.cli.commands import Commands
from authsvc.cli.shell import clear_errors
from authsvc.database import copying, schema
from authsvc.settings.sources import load_settings
from authsvc.settings.values import checked_database_url


@click.group(cls=Commands)
def db() -> None:
    """The database."""


def _database_url(context: click.Context, argument: click.Parameter, text: str) -> str:
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
        schema.upgrade(load_settings(instance_folder()).database_url.get_secret_value())
    click.echo(f"The database is up to date (revision {schema.newest()}).")


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
    try:
        for table, rows in copying.copy(source, target):
            click.echo(f"{table}: {rows}", err=True)
    except copying.CannotCopy as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(
            f"One of the two databases cannot be used: {error.orig}"
        ) from None
    click.echo(
        "All rows are copied. Set AUTHSVC_DATABASE_URL to the new database, and start the service."
    )
