"""`users`: people's accounts."""

import click

from authsvc import clock, operators
from authsvc.cli.shell import app_context, new_password
from authsvc.users import accounts


@click.group()
def users() -> None:
    """Look after people's accounts."""


@users.command("create")
@click.argument("email")
def create_user(email: str) -> None:
    """Make an account for EMAIL.

    The password is asked for, or read from standard input where that is not a terminal:
    it never stands on the command line.
    """
    with app_context():
        account = accounts.register(email, new_password())
    click.echo(f"{account.email} can log in now (id {account.id}).")


@users.command("list")
def list_users() -> None:
    """List all accounts: e-mail address, id, when it was made, and whether it is disabled."""
    with app_context():
        for account, disabled_at in accounts.all_accounts():
            state = f"disabled {clock.rfc3339(disabled_at)}" if disabled_at else "enabled"
            created = clock.rfc3339(account.created_at)
            click.echo(f"{account.email}\t{account.id}\t{created}\t{state}")


@users.command("disable")
@click.argument("email")
def disable_user(email: str) -> None:
    """Shut EMAIL out: no login, no refresh, and all sessions end at once."""
    with app_context():
        operators.disable(email)
    click.echo(f"{email} is disabled, and all sessions are ended.")


@users.command("enable")
@click.argument("email")
def enable_user(email: str) -> None:
    """Let EMAIL log in again."""
    with app_context():
        operators.enable(email)
    click.echo(f"{email} can log in again.")


@users.command("set-password")
@click.argument("email")
def set_password(email: str) -> None:
    """Give EMAIL a new password, and end all sessions.

    The password is asked for, or read from standard input where that is not a terminal.
    """
    with app_context():
        operators.set_password(email, new_password())
    click.echo(f"{email} has a new password, and all sessions are ended.")
