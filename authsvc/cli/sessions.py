"""`sessions`: list, revoke and purge sessions."""

import click

from authsvc import clock
from authsvc.cli.commands import Commands
from authsvc.cli.shell import app_context, count_up, printable


@click.group(cls=Commands)
def sessions() -> None:
    """Sessions."""


@sessions.command("list")
@click.argument("email")
def list_sessions(email: str) -> None:
    """List the live sessions of EMAIL.

    Each is one line, newest first, with tabs between id, times (opened, last used, expires),
    address and browser.
    """
    from authsvc import admin

    with app_context():
        for session in admin.live_sessions(email):
            words = (
                str(session.id),
                f"opened {clock.rfc3339(session.created_at)}",
                f"used {clock.rfc3339(session.last_used_at)}",
                f"expires {clock.rfc3339(session.expires_at)}",
                session.ip_address or "-",
                printable(session.user_agent or "-"),
            )
            click.echo("\t".join(words))


@sessions.command("revoke")
@click.argument("email", required=False)
@click.option("--all", "all_users", is_flag=True, help="Revoke the sessions of all users.")
def revoke_sessions(email: str | None, all_users: bool) -> None:
    """Revoke the sessions of EMAIL, or of all users.

    Run it with --all after restoring a backup, which also restores sessions that were revoked
    after the backup.

    \b
    authsvc sessions revoke alice@example.com
    authsvc sessions revoke --all
    """
    if (email is None) is not all_users:
        raise click.UsageError("Give either an e-mail address or --all.")
    from authsvc import admin
    from authsvc.audit.operator import current_operator
    from authsvc.sessions.revoke import revoke_all_users

    with app_context():
        if email is not None:
            revoked = admin.revoke_sessions(email)
        else:
            revoked = count_up("revoked", revoke_all_users(current_operator()))
            click.echo(err=True)
    click.echo(f"{revoked} sessions are revoked.")


@sessions.command("purge")
def purge_sessions() -> None:
    """Remove sessions that expired long ago.

    The service also removes a few at each login. It is safe to run this at any time, also several
    times at once.
    """
    from authsvc.sessions.purge import purge

    with app_context():
        removed = count_up("removed", purge())
    click.echo(f"\n{removed} expired sessions are removed.")
