"""Security events as lines of `audit`: JSON, words with tabs, or a table."""

import json
from collections.abc import Iterator
from shutil import get_terminal_size

import click

from authsvc import clock
from authsvc.audit.read import Recorded
from authsvc.cli.shell import printable

NOTABLE = ("login_refused", "refresh_refused", "reauthentication_refused", "suspicious_use")
HEAD = ("TIME", "EVENT", "ACCOUNT", "BY", "ADDRESS", "SESSION", "DETAIL", "USER AGENT")

Events = list[tuple[Recorded, str | None]]


def as_json(events: Events) -> Iterator[str]:
    """Yield each event as a JSON object."""
    for event, email in events:
        user = {"user": str(event.user_id) if event.user_id else None, "email": email}
        yield json.dumps(event.json() | user | {"session": event.session})


def as_words(events: Events) -> Iterator[str]:
    """Yield the words of each event with tabs between them, for other programs."""
    return ("\t".join(words) for words in _rows(events))


def as_table(events: Events) -> Iterator[str]:
    """Yield a heading and the events in columns, as wide as the terminal."""
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
