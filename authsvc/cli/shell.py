"""Helpers of the commands: the app's context, the password prompt, errors as sentences.

The modules of commands import what a command needs when it is run, so that help and completion
load nothing but click.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError


@contextmanager
def app_context() -> Iterator[None]:
    """Run the block in the app's context, and show errors as sentences."""
    from authsvc import database
    from authsvc.app import create_app
    from authsvc.database.boot_checks import require_newest

    with clear_errors():
        app = create_app()
        require_newest(app.config["SQLALCHEMY_DATABASE_URI"])
        with app.app_context():
            try:
                yield
            finally:
                database.dispose()


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn an expected error into a sentence on standard error and exit status 1."""
    try:
        yield
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        raise click.ClickException(sentence) from None


def _sentence(error: Exception) -> str | None:
    """Return what to print about an error that a command may raise; None for any other."""
    from sqlalchemy.exc import DBAPIError

    from authsvc.admin.lookup import Refused
    from authsvc.database.errors import DatabaseUnfit
    from authsvc.database.sqlite_backup import CannotBackUp
    from authsvc.problems import Problem, ValidationFailed
    from authsvc.settings import SettingsInvalid

    match error:
        case SettingsInvalid():
            return f"{_capital(str(error))}{_no_settings_here()}"
        case DatabaseUnfit():
            return _capital(str(error))
        case CannotBackUp() | Refused():
            return str(error)
        case DBAPIError() | OSError():
            return _database_error(error)
        case ValidationFailed():
            return " ".join(fault.detail for fault in error.faults)
        case Problem():
            return error.detail
    return None


def upgrade_database() -> str:
    """Upgrade the database of the settings, and return a sentence about its revision."""
    from authsvc.database import schema
    from authsvc.database.revisions import newest
    from authsvc.database.sqlite_files import sqlite_file
    from authsvc.settings.sources import instance_folder, load_settings

    url = load_settings(instance_folder()).database_url.get_secret_value()
    file = sqlite_file(url)
    if file is not None and file.parent.resolve() == instance_folder().resolve():
        file.parent.mkdir(exist_ok=True)
    revision = schema.upgrade(url)
    if revision == newest():
        return f"The database is up to date (revision {revision})."
    return (
        f"The database is at revision {revision}, which is newer than {newest()}, this version's. "
        "It was not changed: a migration only adds."
    )


def new_password() -> str:
    """Return a new password. At a terminal the operator types it twice."""
    return password(confirmed=True)


def password(*, confirmed: bool = False) -> str:
    """Return a password from the terminal or from standard input, never from the command line."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=confirmed))
    return sys.stdin.readline().rstrip("\r\n")


def password_or_nothing(question: str) -> str:
    """Return a new password, or an empty text if none is given.

    Args:
        question: asks for it at a terminal, and says what an empty answer means.
    """
    if not sys.stdin.isatty():
        return password()
    while True:
        typed = str(click.prompt(question, hide_input=True, default="", show_default=False))
        if not typed or typed == click.prompt("Repeat for confirmation", hide_input=True):
            return typed
        click.echo("Error: The two entered values do not match.")


def count_up(done: str, batches: Iterable[int]) -> int:
    """Show the progress of batches, and return their sum."""
    total = 0
    for number in batches:
        total += number
        click.echo(f"\r{total} {done} ...", nl=False, err=True)
    return total


def printable(text: str) -> str:
    """Replace control characters, which could move a terminal's cursor, by question marks."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _database_error(error: DBAPIError | OSError) -> str:
    """Say which database cannot be used and why, without its URL, which may hold a password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import DBAPIError

    from authsvc.settings import PREFIX
    from authsvc.settings.sources import instance_folder, load_settings

    url = make_url(load_settings(instance_folder()).database_url.get_secret_value())
    where = url.database if url.get_backend_name() == "sqlite" else f"at {url.host or 'localhost'}"
    cause = error.orig if isinstance(error, DBAPIError) else error.strerror
    return (
        f"The database {where} cannot be used: {str(cause).strip()}\n"
        f"Check that it is running and that {PREFIX}DATABASE_URL is right."
    )


def _no_settings_here() -> str:
    """Return a hint for an operator who runs a command outside the service's folder."""
    from authsvc.settings.sources import instance_folder

    file = instance_folder() / "authsvc.env"
    if file.exists():
        return ""
    return f"\nThere is no {file}: go to the service's folder, or run `python -m authsvc init`."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
