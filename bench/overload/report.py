"""What `python -m bench.overload` writes: a table of both loads."""

from collections.abc import Callable

from bench.load.load_generator import Outcome
from bench.overload.measure import Overload
from bench.report.machine import machine, version_of_authsvc

COMMAND = "python -m bench.overload"
SECONDS = 10.0
"""Of each load."""


def report(logins: Overload, refreshes: Overload, *, load_average: float) -> str:
    """Return the whole block, in Markdown.

    Args:
        logins, refreshes: what was measured.
        load_average: the machine's, before that.
    """
    rows: list[tuple[str, Callable[[Overload], str]]] = [
        ("served at capacity", lambda one: f"{one.capacity.rate:,.0f} a second"),
        ("p50, p99 at capacity, ms", lambda one: _latencies(one.capacity)),
        ("then offered", lambda one: one.offered),
        ("sent", lambda one: f"{one.under.sent:,}"),
        ("served", lambda one: f"{one.under.rate:,.0f} a second"),
        ("p50, p99 of those accepted at once, ms", lambda one: _latencies(one.under)),
        ("503 with `Retry-After`", lambda one: f"{one.under.statuses.get('503', 0):,}"),
        ("accepted late, after a full queue", lambda one: f"{one.under.accepted_late:,}"),
        ("not accepted within 10 s or until the end", lambda one: f"{one.under.never_accepted:,}"),
        (
            "accepted, but broken or without a response in 10 s",
            lambda one: _failures(one.under),
        ),
        (
            "p50 of a protected request before and during the load, ms",
            lambda one: f"{one.protected_idle:.1f}, {one.protected:.1f}",
        ),
        ("recovered after, ms", lambda one: f"{one.recovery * 1000:,.0f}"),
    ]
    return "\n".join(
        [
            f"{SECONDS:g} s of each load, authsvc {version_of_authsvc()}, on {machine()}. Other "
            f"programs had the machine at a load average of {load_average:.1f} before it began.",
            "",
            "| | logins | refreshes |",
            "| --- | ---: | ---: |",
            *(f"| {name} | {cell(logins)} | {cell(refreshes)} |" for name, cell in rows),
        ]
    )


def _latencies(outcome: Outcome) -> str:
    return f"{outcome.percentile(50):,.0f}, {outcome.percentile(99):,.0f}"


def _failures(outcome: Outcome) -> str:
    return ", ".join(f"{times:,} {name}" for name, times in outcome.failures.items()) or "0"
