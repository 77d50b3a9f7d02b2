"""`users`: create and change accounts."""

import json

import click

from authsvc import admin, clock, roles
from authsvc.admin import change_email, delete, export, unlock
from authsvc.admin.lookup import account_of
from authsvc.cli.commands import Commands
from authsvc.cli.import_users import import_users
from authsvc.cli.shell import app_context, new_password
from authsvc.users import accounts


@click.group(cls=Commands)
def users() -> None:
    """Accounts.

    Each command that takes the EMAIL of an account also takes its id.
    """


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


@users.command("unlock")
@click.argument("email")
def unlock_user(email: str) -> None:
    """Forget the failed logins of EMAIL.

    After too many failures, logins are refused for a time. This ends that time. Failures that
    come from one network address are counted too, and are not forgotten.
    """
    with app_context():
        unlock.unlock(email)
    click.echo(f"{email} can try to log in again.")


@users.command("email")
@click.argument("old")
@click.argument("new")
def change_user_email(old: str, new: str) -> None:
    """Replace the e-mail address OLD by NEW.

    The sessions and the password stay. NEW counts as not verified.
    """
    with app_context():
        email = change_email.change_email(old, new)
    click.echo(f"The account has the e-mail address {email} now.")


@users.command("export")
@click.argument("email")
def export_user(email: str) -> None:
    """Print all that is stored about EMAIL, as JSON.

    These are the account, its sessions, its security events and its failed logins, without hashes
    of passwords and tokens.

    \b
    authsvc users export alice@example.com > alice.json
    """
    with app_context():
        data = export.export(email)
    click.echo(json.dumps(data, indent=2))


users.add_command(import_users)


@users.command("delete")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def delete_user(email: str, yes: bool) -> None:
    """Delete EMAIL for good.

    The account goes with its sessions and security events. Access tokens stop working within a
    second.
    """
    with app_context():
        account = account_of(email)
        if not yes:
            click.confirm(f"Delete {account.email} ({account.id}) for good?", abort=True)
        delete.delete(str(account.id))
    click.echo(f"{account.email} is deleted.")


def _show_roles(email: str, now: roles.Roles) -> None:
    click.echo(f"{email} has {f'the roles {roles.join(now)}' if now else 'no roles'} now.")
    at_once = f"authsvc sessions revoke {email}"
    click.echo(f"This takes effect at the next refresh; for effect at once: {at_once}", err=True)
