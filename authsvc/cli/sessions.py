"""`sessions`: who is logged in where."""

import click

from authsvc import admin, clock
from authsvc.audit.record import OPERATOR
from authsvc.cli.commands import Commands
from authsvc.cli.shell import app_context, count_up, printable
from authsvc.sessions.purge import purge
from authsvc.sessions.revoke import revoke_all_users


@click.group(cls=Commands)
def sessions() -> None:
    """Who is logged in where."""


@sessions.command("list")
@click.argument("email")
def list_sessions(email: str) -> None:
    """List the live sessions of EMAIL.

    The newest first, a line for each, with tabs between: id, when it was opened, last used and
    ends, address, browser.
    """
    with app_context():
        for session in admin.live_sessions(email):
            words = (
                str(session.id),
                f"opened {clock.rfc3339(session.created_at)}",
                f"used {clock.rfc3339(session.last_used_at)}",
                f"ends {clock.rfc3339(session.expires_at)}",
                session.ip_address or "-",
                printable(session.user_agent or "-"),
            )
            click.echo("\t".join(words))


@sessions.command("revoke")
@click.argument("email", required=False)
@click.option("--all", "everybody", is_flag=True, help="End the sessions of all users.")
def revoke_sessions(email: str | None, everybody: bool) -> None:
    """End EMAIL's sessions, or everybody's.

    Run it with --all after restoring a backup: a backup brings back sessions that were ended
    after it was made.

    \b
    authsvc sessions revoke alice@example.com
    authsvc sessions revoke --all
    """
    if (email is None) is not everybody:
        raise click.UsageError("Give either an e-mail address or --all.")
    with app_context():
        if email is not None:
            revoked = admin.revoke_sessions(email)
        else:
            revoked = count_up("revoked", revoke_all_users(OPERATOR))
            click.echo(err=True)
    click.echo(f"{revoked} sessions are revoked.")


@sessions.command("purge")
def purge_sessions() -> None:
    """Remove sessions that are long over.

    The service does so by itself, a little at each login. Safe to run at any time, and at once by
    many.
    """
    with app_context():
        removed = count_up("removed", purge())
    click.echo(f"\n{removed} sessions that were over are gone.")
