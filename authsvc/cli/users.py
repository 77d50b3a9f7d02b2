"""`users`: create and change accounts."""

import json

import click

from authsvc import clock, roles
from authsvc.cli.commands import Commands
from authsvc.cli.create_user import create_user
from authsvc.cli.factors import reset_factors, show_factors
from authsvc.cli.import_users import import_users
from authsvc.cli.reencrypt_factors import reencrypt_factors
from authsvc.cli.shell import app_context
from authsvc.cli.user_password import reset_password, set_password
from authsvc.cli.user_roles import grant_roles, revoke_roles


@click.group(cls=Commands)
def users() -> None:
    """Accounts.

    Each command that takes the EMAIL of an account also takes its id.
    """


users.add_command(create_user)


@users.command("list")
def list_users() -> None:
    """List all accounts.

    Each is one line, with tabs between e-mail address, id, time of creation, state, roles, and
    whether the address is verified.
    """
    from authsvc.users import accounts

    with app_context():
        for account, disabled_at in accounts.all_accounts():
            words = (
                account.email,
                str(account.id),
                clock.rfc3339(account.created_at),
                f"disabled {clock.rfc3339(disabled_at)}" if disabled_at else "enabled",
                roles.join(account.roles),
                "verified" if account.email_verified else "not verified",
            )
            click.echo("\t".join(words))


@users.command("disable")
@click.argument("email")
def disable_user(email: str) -> None:
    """Disable EMAIL and revoke all sessions.

    Logins and refreshes are refused from now on; access tokens stop working within a second.
    """
    from authsvc import admin

    with app_context():
        admin.disable(email)
    click.echo(f"{email} is disabled, and all sessions are revoked.")


@users.command("enable")
@click.argument("email")
def enable_user(email: str) -> None:
    """Enable EMAIL, which can then log in again."""
    from authsvc import admin

    with app_context():
        admin.enable(email)
    click.echo(f"{email} can log in again.")


users.add_command(grant_roles)
users.add_command(revoke_roles)


users.add_command(reset_password)


@users.command("verify")
@click.argument("email")
def verify_email(email: str) -> None:
    """Mark the address of EMAIL as verified.

    Do this if you know that the address belongs to its owner, such as from another system.

    With AUTHSVC_EMAIL_VERIFICATION=required, a registration has no account until its link is used.
    If the mail does not arrive, use `users create`.
    """
    from authsvc.admin import verify

    with app_context():
        changed = verify.verify(email)
    click.echo(f"{email} is verified{'' if changed else ' already'}.")


users.add_command(set_password)


@users.command("unlock")
@click.argument("email")
def unlock_user(email: str) -> None:
    """Forget the failed logins of EMAIL.

    After too many failures, logins are refused for a time, and so is authenticating again within a
    session. Wrong passwords, codes and passkeys count. This ends that time. Failures that come from
    one network address are counted too, and are not forgotten.
    """
    from authsvc.admin import unlock

    with app_context():
        unlock.unlock(email)
    click.echo(f"{email} can try to log in again.")


@users.command("email")
@click.argument("old")
@click.argument("new")
def change_user_email(old: str, new: str) -> None:
    """Replace the e-mail address OLD by NEW.

    The sessions and the password stay. NEW counts as not verified.

    If the service sends mail, links that were mailed for a new password or address are void, a
    notice goes to OLD, and a link that verifies the address to NEW.
    """
    from authsvc.admin import change_email

    with app_context():
        email = change_email.change_email(old, new)
    click.echo(f"The account has the e-mail address {email} now.")


@users.command("export")
@click.argument("email")
def export_user(email: str) -> None:
    """Print all that is stored about EMAIL, as JSON.

    These are the account, its second factors, its sessions, its security events, its failed logins,
    and its mails and links that wait, without secrets and hashes.

    \b
    authsvc users export alice@example.com > alice.json
    """
    from authsvc.admin import export

    with app_context():
        data = export.export(email)
    click.echo(json.dumps(data, indent=2))


users.add_command(show_factors)
users.add_command(reset_factors)
users.add_command(import_users)
users.add_command(reencrypt_factors)


@users.command("delete")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def delete_user(email: str, yes: bool) -> None:
    """Delete EMAIL for good.

    The account goes with its sessions and security events. Access tokens stop working within a
    second.
    """
    from authsvc.admin import delete
    from authsvc.admin.lookup import account_of

    with app_context():
        account = account_of(email)
        if not yes:
            click.confirm(f"Delete {account.email} ({account.id}) for good?", abort=True)
        delete.delete(str(account.id))
    click.echo(f"{account.email} is deleted.")
