"""`db`: the database as a whole."""

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
    """Bring the tables up to date.

    Safe to run at any time, and at once by many. Run it before the first start and after each
    update of authsvc.
    """
    with clear_errors():
        schema.upgrade(load_settings(instance_folder()).database_url.get_secret_value())
    click.echo(f"The database is up to date (revision {schema.newest()}).")


@db.command("copy")
@click.argument("source", metavar="FROM", callback=_database_url)
@click.argument("target", metavar="TO", callback=_database_url)
def copy(source: str, target: str) -> None:
    """Copy all rows into an empty database.

    Both are URLs. Stop the service first: what is written meanwhile is not copied. TO gets its
    tables here.

    \b
    authsvc db copy sqlite:////var/lib/authsvc/authsvc.db postgresql://authsvc@db/authsvc
    """
    try:
        for table, rows in copying.copy(source, target):
            click.echo(f"{table}: {rows}", err=True)
    except copying.CannotCopy as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(f"One of them cannot be used: {error.orig}") from None
    click.echo("Everything is copied. Set AUTHSVC_DATABASE_URL to the new database, and start.")
