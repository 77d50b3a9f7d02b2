"""What the commands share: the app's context, the password prompt, and errors as sentences."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from authsvc import database
from authsvc.app import create_app, instance_folder
from authsvc.database import schema
from authsvc.problems import Problem, ValidationFailed
from authsvc.settings import PREFIX, SettingsInvalid
from authsvc.settings.sources import load_settings


@contextmanager
def app_context() -> Iterator[None]:
    """The app's context, with clear errors."""
    with clear_errors():
        app = create_app()
        schema.require_newest(app.config["SQLALCHEMY_DATABASE_URI"])
        with app.app_context():
            try:
                yield
            finally:
                database.db.engine.dispose()


@contextmanager
def clear_errors() -> Iterator[None]:
    """Show what went wrong as a sentence, and exit with 1."""
    try:
        yield
    except SettingsInvalid as error:
        raise click.ClickException(f"{_capital(str(error))}{_no_settings_here()}") from None
    except schema.DatabaseUnfit as error:
        raise click.ClickException(_capital(str(error))) from None
    except (DBAPIError, OSError) as error:
        raise click.ClickException(_database_away(error)) from None
    except ValidationFailed as problem:
        raise click.ClickException(" ".join(fault.detail for fault in problem.faults)) from None
    except Problem as problem:
        raise click.ClickException(problem.detail) from None


def new_password() -> str:
    """A password that is being set: a terminal is asked for it twice."""
    return password(confirmed=True)


def password(*, confirmed: bool = False) -> str:
    """A password, from the terminal or from standard input; never from the command line."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=confirmed))
    return sys.stdin.readline().rstrip("\r\n")


def count_up(done: str, batches: Iterable[int]) -> int:
    """Show how far it is while it goes on; gives the sum."""
    total = 0
    for number in batches:
        total += number
        click.echo(f"\r{total} {done} ...", nl=False, err=True)
    return total


def printable(text: str) -> str:
    """What a client sent, without the characters that move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _database_away(error: DBAPIError | OSError) -> str:
    """Which database cannot be used and why, without the URL, which holds a password."""
    url = make_url(load_settings(instance_folder()).database_url.get_secret_value())
    where = url.database if url.get_backend_name() == "sqlite" else f"at {url.host or 'localhost'}"
    cause = error.orig if isinstance(error, DBAPIError) else error.strerror
    return (
        f"The database {where} cannot be used: {str(cause).strip()}\n"
        f"See that it is there and that {PREFIX}DATABASE_URL is right."
    )


def _no_settings_here() -> str:
    """A hint for whoever stands in another folder than the service does."""
    file = instance_folder() / "authsvc.env"
    if file.exists():
        return ""
    return f"\nThere is no {file}: go to the service's folder, or run `python -m authsvc init`."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
