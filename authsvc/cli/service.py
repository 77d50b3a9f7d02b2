"""The commands `init`, `secrets` and `serve`: set up and run the service."""

import os
import secrets as random
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import click

from authsvc.cli.shell import clear_errors, upgrade_database


@click.command()
def secrets() -> None:
    """Print new secrets for the settings.

    They are three lines of an environment file: the secrets of access tokens, of refresh tokens and
    of second factors. authsvc keeps no copy: append them to the file from which the service gets
    its environment.

    \b
    authsvc secrets >> /etc/authsvc/authsvc.env

    To a service that exists already, add only the line that it lacks. New secrets of tokens would
    log every user out:

    \b
    authsvc secrets | grep FACTOR >> /etc/authsvc/authsvc.env
    """
    click.echo(_secret_lines(), nl=False)


@click.command()
def init() -> None:
    """Create instance/authsvc.env with new secrets.

    An existing file is never changed: new secrets would log every user out.
    """
    from authsvc.settings.sources import instance_folder

    file = instance_folder() / "authsvc.env"
    try:
        file.parent.mkdir(exist_ok=True)
        written = not file.exists() and _write_new(file, _secret_lines())
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None
    if written:
        click.echo(f"Wrote {file}. Keep it secret, and keep a copy of it.")
    else:
        click.echo(f"{file} exists already and was not changed.")


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--server",
    type=click.Choice(["gunicorn", "granian"]),
    default="gunicorn",
    show_default=True,
    help="The WSGI server. granian is faster; it needs the extra authsvc[granian].",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[SERVER OPTIONS]")
def serve(server: str, words: tuple[str, ...]) -> None:
    """Serve on http://localhost:8000.

    The app is that of wsgi.py in the working directory, or authsvc's own if there is none. The
    database is upgraded first. The environment variable PORT changes the port. All further
    options are gunicorn's:

    \b
    PORT=8001 authsvc serve --workers 4

    For development, --reload loads the code again when a file of it changes, and logs as text:

    \b
    authsvc serve --reload

    granian has the options --workers N, --threads N, and --bind HOST:PORT or unix:PATH:

    \b
    authsvc serve --server granian --workers 4
    """
    app = "wsgi:app" if Path("wsgi.py").exists() else "authsvc.server.wsgi:app"
    if server == "granian":
        from authsvc.cli.granian_options import granian_with

        run = granian_with(app, words)
    else:
        from gunicorn.app.wsgiapp import run as run_gunicorn

        sys.argv = ["authsvc serve", "--config", "python:authsvc.gunicorn", *words, app]
        run = run_gunicorn
    # The boot reports a newer schema, and a database that does not answer, in the log.
    with clear_errors(), _suppress_no_answer() if server == "granian" else nullcontext():
        upgrade_database()
    run()


def _suppress_no_answer() -> AbstractContextManager[object]:
    """Start also while the database does not answer, as the documented gunicorn command does."""
    from sqlalchemy.exc import OperationalError

    return suppress(OperationalError)


def _secret_lines() -> str:
    from authsvc.settings import PREFIX
    from authsvc.tokens.shared_secret import SECRET_BYTES

    return "".join(
        f"{PREFIX}{kind}_SECRET={random.token_hex(SECRET_BYTES)}\n"
        for kind in ("ACCESS_TOKEN", "REFRESH_TOKEN", "FACTOR")
    )


def _write_new(file: Path, text: str) -> bool:
    """Write a file that only its owner can read, atomically. Return False if it exists."""
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
