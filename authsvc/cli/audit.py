"""`audit`: show the security events."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, get_args

import click

from authsvc import clock
from authsvc.audit.kinds import Kind
from authsvc.cli.commands import Commands
from authsvc.cli.shell import app_context, count_up

KINDS = get_args(Kind)
LIMIT = 100
MAX_LIMIT = 10_000


class Instant(click.ParamType[datetime]):
    """A date, a time, or how long ago; without a zone it is UTC."""

    name = "time"
    units: ClassVar = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        number, unit = value[:-1], self.units.get(value[-1:])
        try:
            if unit and number.isdecimal():
                return clock.now() - timedelta(**{unit: int(number)})
            instant = datetime.fromisoformat(value)
            return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail("write 2026-11-24, 2026-11-24T10:57:00Z, or how long ago: 90m, 36h, 7d")


@click.group(cls=Commands, invoke_without_command=True)
@click.option("--user", metavar="EMAIL", help="Only events of this account.")
@click.option(
    "--event",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    metavar="EVENT",
    help=f"Only events of this kind; repeatable. One of: {', '.join(KINDS)}.",
)
@click.option(
    "--suspicious",
    is_flag=True,
    help="Only signs of a stolen cookie, secret or passkey: suspicious_use, refresh_refused with "
    "dpop_proof_missing, dpop_proof_invalid or refresh_token_invalid, and login_refused or "
    "reauthentication_refused with sign_count_went_back.",
)
@click.option(
    "--since", type=Instant(), help="Only events at or after this time: 2026-11-24, 36h, 7d."
)
@click.option("--until", type=Instant(), help="Only events before this time.")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIMIT),
    default=LIMIT,
    show_default=True,
    help="The maximum number of events; the newest are shown.",
)
@click.option("--json", "for_programs", is_flag=True, help="One JSON object a line.")
@click.pass_context
def audit(
    context: click.Context,
    user: str | None,
    kinds: tuple[str, ...],
    suspicious: bool,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    for_programs: bool,
) -> None:
    """Show the security events of all accounts.

    The newest event is the last line. A terminal gets columns with a heading; a pipe gets tabs
    without one.

    \b
    authsvc audit --user alice@example.com --since 7d
    authsvc audit --suspicious --since 1d
    """
    if context.invoked_subcommand is not None:
        return
    if suspicious and kinds:
        raise click.UsageError("Give either --event or --suspicious.")
    from authsvc import admin
    from authsvc.cli.audit_lines import as_json, as_table, as_words

    with app_context():
        events = admin.audit(
            limit, email=user, kinds=kinds, suspicious=suspicious, since=since, until=until
        )
    lines = as_json if for_programs else as_table if sys.stdout.isatty() else as_words
    for line in lines(events):
        click.echo(line)


@audit.command("purge")
def purge_events() -> None:
    """Remove events older than AUTHSVC_AUDIT_TTL.

    It is safe to run this at any time, also several times at once.
    """
    from authsvc.audit.purge import purge
    from authsvc.settings import Settings
    from authsvc.web import registry

    with app_context():
        removed = count_up("removed", purge(registry.get(Settings).audit_ttl))
    click.echo(f"\n{removed} old events are removed.")
