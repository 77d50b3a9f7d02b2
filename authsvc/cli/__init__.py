"""The commands; each parses its arguments and calls one function."""

import sys
from traceback import walk_tb
from typing import Any

import click

from authsvc import __version__
from authsvc.cli.audit import audit
from authsvc.cli.commands import Commands
from authsvc.cli.completion import completion
from authsvc.cli.db import db
from authsvc.cli.doctor import doctor
from authsvc.cli.keys import keys
from authsvc.cli.login import login
from authsvc.cli.mail import mail
from authsvc.cli.service import init, secrets, serve
from authsvc.cli.sessions import sessions
from authsvc.cli.users import users
from authsvc.extras import server_extra_missing


class Main(Commands):
    """All commands. One that needs a package that is not installed says how to install it."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            if not _is_imported_by_us(error):  # but by an operator's wsgi.py
                raise
            sys.exit(server_extra_missing(f"authsvc {ctx.invoked_subcommand}", error))


def _is_imported_by_us(error: ModuleNotFoundError) -> bool:
    *_, (importing, _) = walk_tb(error.__traceback__)
    return str(importing.f_globals.get("__name__")).startswith("authsvc.")


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """authsvc, the token service for single-page apps.

    Settings are AUTHSVC_* environment variables; a setting that is not in the environment is read
    from instance/authsvc.env in the working directory. To begin: init, then serve.
    """


for _command in (
    *(init, serve, doctor, login, audit),
    *(secrets, completion, keys, db, users, sessions, mail),
):
    main.add_command(_command)
