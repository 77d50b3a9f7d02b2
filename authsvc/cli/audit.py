"""`audit`: show the security events."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from shutil import get_terminal_size
from typing import Any, ClassVar, get_args

import click

from authsvc import admin, clock
from authsvc.audit.model import Kind
from authsvc.audit.purge import purge
from authsvc.audit.read import Recorded
from authsvc.cli.commands import Commands
from authsvc.cli.shell import app_context, count_up, printable
from authsvc.settings import Settings
from authsvc.web import registry

KINDS = get_args(Kind)
NOTABLE = ("login_refused", "refresh_refused", "reauthentication_refused", "suspicious_use")
LIMIT = 100
MAX_LIMIT = 10_000
HEAD = ("TIME", "EVENT", "ACCOUNT", "BY", "ADDRESS", "SESSION", "DETAIL", "USER AGENT")


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
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def audit(
    context: click.Context,
    user: str | None,
    kinds: tuple[str, ...],
    suspicious: bool,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
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
    with app_context():
        events = admin.audit(
            limit, email=user, kinds=kinds, suspicious=suspicious, since=since, until=until
        )
    lines = _as_json if as_json else _as_table if sys.stdout.isatty() else _as_words
    for line in lines(events):
        click.echo(line)


@audit.command("purge")
def purge_events() -> None:
    """Remove events older than AUTHSVC_AUDIT_TTL.

    It is safe to run this at any time, also several times at once.
    """
    with app_context():
        removed = count_up("removed", purge(registry.get(Settings).audit_ttl))
    click.echo(f"\n{removed} old events are removed.")


Events = list[tuple[Recorded, str | None]]


def _as_json(events: Events) -> Iterator[str]:
    for event, email in events:
        user = {"user": str(event.user_id) if event.user_id else None, "email": email}
        yield json.dumps(event.json() | user | {"session": event.session})


def _as_words(events: Events) -> Iterator[str]:
    return ("\t".join(words) for words in _rows(events))


def _as_table(events: Events) -> Iterator[str]:
    rows = [HEAD, *_rows(events)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (word.ljust(width) for word, width in zip(row, widths, strict=True))
        line = "  ".join(cells).rstrip()[: get_terminal_size().columns]
        yield click.style(line, bold=row is HEAD, fg="yellow" if row[1] in NOTABLE else None)


def _rows(events: Events) -> Iterator[tuple[str, ...]]:
    for event, email in events:
        words = (
            clock.rfc3339(event.at),
            event.event,
            email,
            f"{event.actor}:{event.operator}" if event.operator else event.actor,
            event.ip_address,
            event.session,
            event.detail,
            event.user_agent,
        )
        yield tuple(printable(word or "-") for word in words)
