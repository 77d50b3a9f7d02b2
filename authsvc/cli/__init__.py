"""The commands; each parses its arguments and calls one function."""

import sys

import click

from authsvc import __version__
from authsvc.extras import server_extra_missing

try:
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
except ModuleNotFoundError as error:
    sys.exit(server_extra_missing(" ".join(["authsvc", *sys.argv[1:2]]), error))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
