"""`sessions`: who is logged in where."""

import click

from authsvc import clock, operators
from authsvc.cli.shell import app_context, count_up, printable
from authsvc.sessions.purge import purge
from authsvc.sessions.revoke import revoke_everybodys


@click.group()
def sessions() -> None:
    """Look after sessions."""


@sessions.command("list")
@click.argument("email")
def list_sessions(email: str) -> None:
    """List the live sessions of EMAIL, newest first."""
    with app_context():
        for session in operators.live_sessions(email):
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
    """End all sessions of EMAIL, or with --all everybody's.

    Run it with --all after restoring a backup: a backup brings back sessions that were ended
    after it was made.
    """
    if (email is None) is not everybody:
        raise click.UsageError("Give either an e-mail address or --all.")
    with app_context():
        ended = count_up("ended", revoke_everybodys() if email is None else operators.revoke(email))
    click.echo(f"\n{ended} sessions are ended.")


@sessions.command("purge")
def purge_sessions() -> None:
    """Remove sessions that are long over; safe to run at any time, and at once by many."""
    with app_context():
        removed = count_up("removed", purge())
    click.echo(f"\n{removed} sessions that were over are gone.")
