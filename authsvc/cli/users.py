"""`users`: people's accounts."""

import click

from authsvc import admin, clock, roles
from authsvc.cli.commands import Commands
from authsvc.cli.shell import app_context, new_password
from authsvc.users import accounts


@click.group(cls=Commands)
def users() -> None:
    """People's accounts."""


@users.command("create")
@click.argument("email")
def create_user(email: str) -> None:
    """Make an account for EMAIL.

    The password is asked for, or read from standard input where that is not a terminal:
    it never stands on the command line.

    \b
    authsvc users create alice@example.com
    authsvc users create alice@example.com < password
    """
    with app_context():
        account = admin.register(email, new_password())
    click.echo(f"{account.email} can log in now (id {account.id}).")


@users.command("list")
def list_users() -> None:
    """List all accounts.

    A line for each, with tabs between: e-mail address, id, when it was made, whether it is
    disabled, and roles.
    """
    with app_context():
        for account, disabled_at in accounts.all_accounts():
            state = f"disabled {clock.rfc3339(disabled_at)}" if disabled_at else "enabled"
            created = clock.rfc3339(account.created_at)
            words = (account.email, str(account.id), created, state, roles.join(account.roles))
            click.echo("\t".join(words))


@users.command("disable")
@click.argument("email")
def disable_user(email: str) -> None:
    """Shut EMAIL out, and end all sessions.

    No login and no refresh from now on; access tokens stop working within a second.
    """
    with app_context():
        admin.disable(email)
    click.echo(f"{email} is disabled, and all sessions are ended.")


@users.command("enable")
@click.argument("email")
def enable_user(email: str) -> None:
    """Let EMAIL log in again."""
    with app_context():
        admin.enable(email)
    click.echo(f"{email} can log in again.")


@users.command("grant")
@click.argument("email")
@click.argument("role", nargs=-1, required=True)
def grant_roles(email: str, role: tuple[str, ...]) -> None:
    """Give EMAIL roles.

    They are in force at the next refresh.

    \b
    authsvc users grant alice@example.com admin
    """
    with app_context():
        _tell_roles(email, admin.grant(email, role))


@users.command("revoke")
@click.argument("email")
@click.argument("role", nargs=-1, required=True)
def revoke_roles(email: str, role: tuple[str, ...]) -> None:
    """Take roles away from EMAIL.

    In force at the next refresh. To make it so at once, end the sessions too:

    \b
    authsvc users revoke alice@example.com admin
    authsvc sessions revoke alice@example.com
    """
    with app_context():
        _tell_roles(email, admin.withdraw(email, role))


@users.command("set-password")
@click.argument("email")
def set_password(email: str) -> None:
    """Give EMAIL a new password, and end all sessions.

    The password is asked for, or read from standard input where that is not a terminal.
    """
    with app_context():
        admin.set_password(email, new_password())
    click.echo(f"{email} has a new password, and all sessions are ended.")


def _tell_roles(email: str, now: roles.Roles) -> None:
    click.echo(f"{email} has {f'the roles {roles.join(now)}' if now else 'no role'} now.")
    at_once = f"authsvc sessions revoke {email}"
    click.echo(f"In force at the next refresh; at once with: {at_once}", err=True)
