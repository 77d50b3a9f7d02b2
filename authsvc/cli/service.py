"""`init`, `secrets` and `serve`: from nothing to a running service."""

import os
import secrets as random
import sys
from pathlib import Path

import click
from gunicorn.app.wsgiapp import run as run_gunicorn

from authsvc.app import instance_folder
from authsvc.cli.shell import clear_errors
from authsvc.database import schema
from authsvc.settings import PREFIX
from authsvc.settings.sources import load_settings
from authsvc.tokens.shared_secret import SECRET_BYTES


@click.command()
def secrets() -> None:
    """Print two fresh secrets for the settings.

    They are the two lines of an environment file. Nothing is kept: put them where the service
    finds its environment.

    \b
    authsvc secrets >> /etc/authsvc/authsvc.env
    """
    click.echo(_secret_lines(), nl=False)


@click.command()
def init() -> None:
    """Make instance/authsvc.env with fresh secrets.

    A file that is there already is never touched: everybody signed in depends on its secrets.
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


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[GUNICORN OPTIONS]")
def serve(words: tuple[str, ...]) -> None:
    """Serve on http://localhost:8000.

    The database is brought up to date before. PORT in the environment moves the port. Further
    options are gunicorn's own:

    \b
    PORT=8001 authsvc serve --workers 4
    """
    if not Path("wsgi.py").exists():
        raise click.ClickException(
            f"There is no wsgi.py in {Path.cwd()}, which makes the app: go to the service's folder."
        )
    with clear_errors():
        schema.upgrade(load_settings(instance_folder()).database_url.get_secret_value())
    sys.argv = ["authsvc serve", "--config", "python:authsvc.gunicorn", *words, "wsgi:app"]
    run_gunicorn()


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
