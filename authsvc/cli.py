"""The commands: each reads its words and calls one function."""

import os
import secrets as random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from authsvc import __version__, clock, database, operators, schema, transfer
from authsvc.app import create_app, instance_folder
from authsvc.problems import Problem, ValidationFailed
from authsvc.sessions.lifecycle import revoke_everybodys
from authsvc.sessions.purge import purge
from authsvc.settings import PREFIX, SECRET_BYTES, SettingsInvalid, load_settings
from authsvc.users import accounts


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """authsvc, the token service for single-page apps.

    Settings are AUTHSVC_* environment variables; those that are not set are read from
    instance/authsvc.env in the working directory. To begin: init, then db upgrade.
    """


@main.command()
def secrets() -> None:
    """Print two fresh secrets, as the two lines of an environment file.

    Nothing is kept: put the lines where the service finds its environment.
    """
    click.echo(_secret_lines(), nl=False)


@main.command()
def init() -> None:
    """Write instance/authsvc.env with fresh secrets, where there is none.

    The file that is there already is never touched: everybody signed in depends on its secrets.
    """
    file = instance_folder() / "authsvc.env"
    try:
        file.parent.mkdir(exist_ok=True)
        written = not file.exists() and _write_new(file, _secret_lines())
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None
    if written:
        click.echo(f"Wrote {file}: keep it secret, and keep it.")
    else:
        click.echo(f"{file} is there already and was left as it is.")


@main.group()
def db() -> None:
    """Look after the database."""


@db.command("upgrade")
def upgrade() -> None:
    """Bring the database's tables up to date.

    Safe to run at any time, and at once by many. Run it before the first start and after each
    update of authsvc.
    """
    with _clear_errors():
        schema.upgrade(load_settings(instance_folder()).database_url.get_secret_value())
    click.echo(f"The database is up to date (revision {schema.newest()}).")


@db.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy(source: str, target: str) -> None:
    """Copy all rows of the database FROM into the empty database TO; both are URLs.

    Stop the service first: what is written meanwhile is not copied. TO gets its tables here.
    """
    try:
        for table, rows in transfer.copy(source, target):
            click.echo(f"{table}: {rows}", err=True)
    except (transfer.CannotCopy, ValueError) as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(f"One of them cannot be used: {error.orig}") from None
    click.echo("Everything is copied. Set AUTHSVC_DATABASE_URL to the new database, and start.")


@main.group()
def users() -> None:
    """Look after people's accounts."""


@users.command("create")
@click.argument("email")
def create_user(email: str) -> None:
    """Make an account for EMAIL.

    The password is asked for, or read from standard input where that is not a terminal:
    it never stands on the command line.
    """
    with _clear_errors():
        app = create_app()
        schema.require_newest(app.config["SQLALCHEMY_DATABASE_URI"])
        with app.app_context():
            account = accounts.register(email, _new_password())
    click.echo(f"{account.email} can log in now (id {account.id}).")


@users.command("list")
def list_users() -> None:
    """List all accounts: e-mail address, id, when it was made, and whether it is disabled."""
    with _app():
        for account, disabled_at in accounts.all_accounts():
            state = f"disabled {clock.rfc3339(disabled_at)}" if disabled_at else "enabled"
            created = clock.rfc3339(account.created_at)
            click.echo(f"{account.email}\t{account.id}\t{created}\t{state}")


@users.command("disable")
@click.argument("email")
def disable_user(email: str) -> None:
    """Shut EMAIL out: no login, no refresh, and all sessions end at once."""
    with _app():
        operators.disable(email)
    click.echo(f"{email} is disabled, and all sessions are ended.")


@users.command("enable")
@click.argument("email")
def enable_user(email: str) -> None:
    """Let EMAIL log in again."""
    with _app():
        operators.enable(email)
    click.echo(f"{email} can log in again.")


@users.command("set-password")
@click.argument("email")
def set_password(email: str) -> None:
    """Give EMAIL a new password, and end all sessions.

    The password is asked for, or read from standard input where that is not a terminal.
    """
    with _app():
        operators.set_password(email, _new_password())
    click.echo(f"{email} has a new password, and all sessions are ended.")


@main.group()
def sessions() -> None:
    """Look after sessions."""


@sessions.command("list")
@click.argument("email")
def list_sessions(email: str) -> None:
    """List the live sessions of EMAIL, newest first."""
    with _app():
        for session in operators.live_sessions(email):
            words = (
                str(session.id),
                f"opened {clock.rfc3339(session.created_at)}",
                f"used {clock.rfc3339(session.last_used_at)}",
                f"ends {clock.rfc3339(session.expires_at)}",
                session.ip_address or "-",
                _printable(session.user_agent or "-"),
            )
            click.echo("\t".join(words))


@sessions.command("revoke")
@click.argument("email", required=False)
@click.option("--all", "everybody", is_flag=True, help="End the sessions of all users.")
def revoke_sessions(email: str | None, everybody: bool) -> None:
    """End all sessions of EMAIL, or with --all everybody's.

    Run it with --all after restoring a backup: a backup brings back sessions that were ended
    after it was made.
    """
    if (email is None) is not everybody:
        raise click.UsageError("Give either an e-mail address or --all.")
    ended = 0
    with _app():
        for page in revoke_everybodys() if email is None else operators.revoke(email):
            ended += page
            click.echo(f"\r{ended} ended ...", nl=False, err=True)
    click.echo(f"\n{ended} sessions are ended.")


@sessions.command("purge")
def purge_sessions() -> None:
    """Remove sessions that are long over; safe to run at any time, and at once by many."""
    removed = 0
    with _app():
        for batch in purge():
            removed += batch
            click.echo(f"\r{removed} removed ...", nl=False, err=True)
    click.echo(f"\n{removed} sessions that were over are gone.")


def _secret_lines() -> str:
    return "".join(
        f"{PREFIX}{kind}_TOKEN_SECRET={random.token_hex(SECRET_BYTES)}\n"
        for kind in ("ACCESS", "REFRESH")
    )


def _write_new(file: Path, text: str) -> bool:
    """Write a file that only its owner can read, whole or not at all; False where there is one."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(draft, file)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def _new_password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _database_away(error: DBAPIError | OSError) -> str:
    """Which database cannot be used and why, without the URL, which holds a password."""
    url = make_url(load_settings(instance_folder()).database_url.get_secret_value())
    where = url.database if url.get_backend_name() == "sqlite" else f"at {url.host or 'localhost'}"
    cause = error.orig if isinstance(error, DBAPIError) else error.strerror
    return (
        f"The database {where} cannot be used: {str(cause).strip()}\n"
        f"See that it is there and that {PREFIX}DATABASE_URL is right."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _printable(text: str) -> str:
    """What a client sent, without the characters that move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


@contextmanager
def _app() -> Iterator[None]:
    """The app's context, with clear errors."""
    with _clear_errors():
        app = create_app()
        schema.require_newest(app.config["SQLALCHEMY_DATABASE_URI"])
        with app.app_context():
            try:
                yield
            finally:
                database.db.engine.dispose()


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Show what went wrong as a sentence, and exit with 1."""
    try:
        yield
    except (SettingsInvalid, schema.DatabaseUnfit) as error:
        raise click.ClickException(_capital(str(error))) from None
    except (DBAPIError, OSError) as error:
        raise click.ClickException(_database_away(error)) from None
    except ValidationFailed as problem:
        raise click.ClickException(" ".join(fault.detail for fault in problem.faults)) from None
    except Problem as problem:
        raise click.ClickException(problem.detail) from None
