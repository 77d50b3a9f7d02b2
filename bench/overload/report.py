"""What `python -m bench.overload` writes: a table of what was sent, and one of what people saw."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeVar

from bench.load.load_generator import Outcome
from bench.overload.crowds import FLOOD_ADDRESSES, HAMMERING, ServerResults
from bench.overload.measure import Overload
from bench.overload.people import BURSTS, Seen
from bench.report.machine import machine, version_of_authsvc

COMMAND = "python -m bench.overload"
SECONDS = 10.0
"""Of each load."""

T = TypeVar("T")
_Rows = list[tuple[str, Callable[[Overload], str]]]
_OVERLOAD: _Rows = [
    ("served at capacity", lambda one: f"{one.capacity.rate:,.0f} a second"),
    ("p50, p99 at capacity, ms", lambda one: _latencies(one.capacity)),
    ("then offered", lambda one: one.offered),
    ("sent", lambda one: f"{one.under.sent:,}"),
    ("served", lambda one: f"{one.under.rate:,.0f} a second"),
    ("p50, p99 of those accepted at once, ms", lambda one: _latencies(one.under)),
    ("503 with `Retry-After`", lambda one: f"{one.under.statuses.get('503', 0):,}"),
    ("accepted late, after a full queue", lambda one: f"{one.under.accepted_late:,}"),
    ("not accepted within 10 s or until the end", lambda one: f"{one.under.never_accepted:,}"),
    ("accepted, but broken or without a response in 10 s", lambda one: _failures(one.under)),
    (
        "p50 of a protected request before and during the load, ms",
        lambda one: f"{one.protected_idle:.1f}, {one.protected:.1f}",
    ),
    ("recovered after, ms", lambda one: f"{one.recovery * 1000:,.0f}"),
]
_PEOPLE: list[tuple[str, Callable[[ServerResults], str]]] = [
    (f"24 people log in at once, {BURSTS} times: statuses", lambda one: _counts(one.burst)),
    ("and the slowest of them, ms", lambda one: f"{one.burst_slowest:,.0f}"),
    ("no load: a protected request", lambda one: _seen(one.idle.protected)),
    ("a refresh", lambda one: _seen(one.idle.refreshes)),
    ("a login", lambda one: _seen(one.idle.logins)),
    (
        f"{HAMMERING} clients hammer the login: a protected request",
        lambda one: _seen(one.hammered.protected),
    ),
    ("a refresh", lambda one: _seen(one.hammered.refreshes)),
    ("what the clients got", lambda one: _others(one.hammered.others)),
    (
        f"a flood from {FLOOD_ADDRESSES} addresses: a protected request",
        lambda one: _seen(one.flooded.protected),
    ),
    ("a refresh", lambda one: _seen(one.flooded.refreshes)),
    ("a login, with its retries", lambda one: _seen(one.flooded.logins)),
    ("what the flood got", lambda one: _others(one.flooded.others)),
]


def report(results: Mapping[str, ServerResults], *, load_average: float) -> str:
    """Return the whole block, in Markdown.

    Args:
        results: what was measured, by the server's name.
        load_average: the machine's, before that.
    """
    overloads = {
        f"{what}, {name}": overload
        for name, one in results.items()
        for what, overload in (("logins", one.logins), ("refreshes", one.refreshes))
    }
    return "\n".join(
        [
            f"{SECONDS:g} s of each load, authsvc {version_of_authsvc()}, on {machine()}. Other "
            f"programs had the machine at a load average of {load_average:.1f} before it began.",
            "",
            *_table(_OVERLOAD, overloads),
            "",
            "Then what people see while others log in: the statuses, and p50 and p99 of those with "
            "200 in ms. A person who logs in retries for 10 s as `Retry-After` asks: each attempt "
            "has its status; the time is that of all together, without an end if none succeeded.",
            "",
            *_table(_PEOPLE, results),
        ]
    )


def _table(rows: list[tuple[str, Callable[[T], str]]], columns: Mapping[str, T]) -> list[str]:
    return [
        "| | " + " | ".join(columns) + " |",
        "| --- |" + " ---: |" * len(columns),
        *(
            f"| {name} | " + " | ".join(cell(one) for one in columns.values()) + " |"
            for name, cell in rows
        ),
    ]


def _latencies(outcome: Outcome) -> str:
    return f"{outcome.percentile(50):,.0f}, {outcome.percentile(99):,.0f}"


def _failures(outcome: Outcome) -> str:
    return _counts(outcome.failures) if outcome.failures else "0"


def _seen(seen: Seen) -> str:
    return f"{_counts(seen.statuses)}: {seen.percentile(50):,.1f}, {seen.percentile(99):,.1f}"


def _others(outcome: Outcome | None) -> str:
    assert outcome is not None
    failed = outcome.never_accepted + sum(outcome.failures.values())
    return _counts({**outcome.statuses, **({"no response": failed} if failed else {})})


def _counts(counts: Counter[str] | Mapping[str, int]) -> str:
    return ", ".join(f"{times:,} {name}" for name, times in sorted(counts.items()))
