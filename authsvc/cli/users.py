"""`users`: create and change accounts."""

import click

from authsvc import admin, clock, roles
from authsvc.cli.commands import Commands
from authsvc.cli.shell import app_context, new_password
from authsvc.users import accounts


@click.group(cls=Commands)
def users() -> None:
    """Accounts."""


@users.command("create")
@click.argument("email")
def create_user(email: str) -> None:
    """Create an account for EMAIL.

    On a terminal, the command asks for the password; otherwise it reads one line of standard
    input. A password is never an argument, where other users of the machine could see it.

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

    Each is one line, with tabs between e-mail address, id, time of creation, state and roles.
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
    """Disable EMAIL and revoke all sessions.

    Logins and refreshes are refused from now on; access tokens stop working within a second.
    """
    with app_context():
        admin.disable(email)
    click.echo(f"{email} is disabled, and all sessions are revoked.")


@users.command("enable")
@click.argument("email")
def enable_user(email: str) -> None:
    """Enable EMAIL, which can then log in again."""
    with app_context():
        admin.enable(email)
    click.echo(f"{email} can log in again.")


@users.command("grant")
@click.argument("email")
@click.argument("role", nargs=-1, required=True)
def grant_roles(email: str, role: tuple[str, ...]) -> None:
    """Grant roles to EMAIL.

    They take effect at the next refresh.

    \b
    authsvc users grant alice@example.com admin
    """
    with app_context():
        _show_roles(email, admin.grant(email, role))


@users.command("revoke")
@click.argument("email")
@click.argument("role", nargs=-1, required=True)
def revoke_roles(email: str, role: tuple[str, ...]) -> None:
    """Take roles away from EMAIL.

    This takes effect at the next refresh. For effect at once, revoke the sessions too:

    \b
    authsvc users revoke alice@example.com admin
    authsvc sessions revoke alice@example.com
    """
    with app_context():
        _show_roles(email, admin.withdraw(email, role))


@users.command("set-password")
@click.argument("email")
def set_password(email: str) -> None:
    """Set a new password and revoke all sessions.

    On a terminal, the command asks for the password; otherwise it reads one line of standard
    input.
    """
    with app_context():
        admin.set_password(email, new_password())
    click.echo(f"{email} has a new password, and all sessions are revoked.")


def _show_roles(email: str, now: roles.Roles) -> None:
    click.echo(f"{email} has {f'the roles {roles.join(now)}' if now else 'no roles'} now.")
    at_once = f"authsvc sessions revoke {email}"
    click.echo(f"This takes effect at the next refresh; for effect at once: {at_once}", err=True)
