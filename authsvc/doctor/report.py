"""The report: a table for people, JSON for programs, and an exit code for both."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator

import click

from authsvc.doctor.examination import CHECKS, Row
from authsvc.doctor.findings import Verdict
from authsvc.doctor.target import Target

WIDTH = 80
_VERDICT = max(map(len, Verdict)) + 1
_CHECK = max(map(len, CHECKS)) + 1
_COLOURS = {
    Verdict.OK: "green",
    Verdict.WARNING: "yellow",
    Verdict.FAILED: "red",
    Verdict.NOT_CHECKED: "bright_black",
}


def exit_code(rows: list[Row]) -> int:
    """Return 1 if a check failed, else 0."""
    return int(any(row.finding.verdict is Verdict.FAILED for row in rows))


def as_json(target: Target, origin: str | None, rows: list[Row]) -> str:
    """Return one JSON object: the target, the number of each verdict, and each row."""
    report = {
        "url": target.origin + target.prefix,
        "origin": origin,
        "verdicts": _counts(rows),
        "checks": [
            {
                "check": row.check,
                "verdict": row.finding.verdict,
                "found": row.finding.found,
                "next": row.finding.next or None,
            }
            for row in rows
        ],
    }
    return json.dumps(report, indent=2)


def as_table(rows: list[Row]) -> Iterator[str]:
    """Yield the table's lines and the totals, coloured, at most 80 columns wide."""
    for row in rows:
        verdict = row.finding.verdict
        start = click.style(f"{verdict:{_VERDICT}}", fg=_COLOURS[verdict], bold=True)
        first, *more = _wrapped(row.finding.found)
        yield f"{start}{row.check:{_CHECK}}{first}"
        for line in [*more, *_wrapped(row.finding.next, arrow="-> ")]:
            yield " " * (_VERDICT + _CHECK) + line
    yield ""
    yield ", ".join(f"{count} {verdict}" for verdict, count in _counts(rows).items())


def _counts(rows: list[Row]) -> dict[str, int]:
    counted = Counter(row.finding.verdict for row in rows)
    return {verdict: counted[verdict] for verdict in Verdict}


def _wrapped(text: str, arrow: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH - _VERDICT - _CHECK,
        initial_indent=arrow,
        subsequent_indent=" " * len(arrow),
        break_on_hyphens=False,
    )
