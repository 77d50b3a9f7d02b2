"""Time the functions behind the routes, without HTTP and without hashing."""

import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import text

from authsvc.audit.record import user_at
from authsvc.database import db
from authsvc.sessions.list import live_sessions
from authsvc.sessions.log_out import log_out
from authsvc.sessions.open import Opened
from authsvc.sessions.purge import purge
from authsvc.sessions.refresh import Refreshing, refresh_session
from authsvc.sessions.tokens import SessionTokens
from authsvc.web import registry
from bench.growth.population import (
    CLIENT,
    OPENED_PER_CHUNK,
    Population,
    is_postgres,
    open_for,
    populate,
)

ROUNDS = 20
CALLS = OPENED_PER_CHUNK
"""Of each operation in each round; the smallest population has no more opened sessions."""
PURGED_BATCHES = 5
OPERATIONS = ("refresh", "login", "logout", "list", "purge")

Timings = dict[str, list[float]]
"""Seconds of each call, by operation."""
Figures = dict[str, float]
"""Milliseconds by operation, and bytes by table or index."""


def measure_all(urls: dict[int, str]) -> dict[int, Figures]:
    """Return the figures of each size. The sizes take turns, so that other load on the machine
    affects all alike.

    Args:
        urls: an empty database for each size.
    """
    populations = {size: populate(url, size) for size, url in urls.items()}
    timings: dict[int, Timings] = {size: defaultdict(list) for size in urls}
    for number in range(ROUNDS + 1):
        for size, population in populations.items():
            with population.app.app_context():
                measured = _one_round(population)
            if number > 0:  # the first one warms up
                for operation, seconds in measured.items():
                    timings[size][operation] += seconds
        print(f"\rround {number} of {ROUNDS} ", end="", file=sys.stderr)
    print(file=sys.stderr)
    figures = {}
    for size, population in populations.items():
        with population.app.app_context():
            figures[size] = _summary(timings[size]) | _bytes_per_row()
            db.engine.dispose()
    return figures


def _one_round(population: Population) -> Timings:
    tokens, refreshing = registry.get(SessionTokens), registry.get(Refreshing)
    fresh: list[Opened] = []
    batches = purge()
    opened = random.sample(population.opened, CALLS)
    users = [UUID(user) for user in random.choices(population.users, k=CALLS)]

    def refresh(session: Opened) -> None:
        token = tokens.verify(session.refresh_token)
        refresh_session(refreshing, token, CLIENT, proof=None, marker=None)

    return {
        "refresh": _timed(refresh, opened),
        "login": _timed(lambda user: fresh.append(open_for(user)), users),
        "logout": _timed(
            lambda session: log_out(tokens, [session.refresh_token], user_at(CLIENT)), fresh
        ),
        "list": _timed(lambda user: live_sessions(user, tokens.idle_ttl), users),
        "purge": _timed(lambda _: next(batches, None), [None] * PURGED_BATCHES),
    }


def _timed(call: Callable[[Any], object], arguments: list[Any]) -> list[float]:
    """Return the seconds of each call."""
    seconds = []
    for argument in arguments:
        began = time.perf_counter()
        call(argument)
        seconds.append(time.perf_counter() - began)
    return seconds


def _summary(timings: Timings) -> Figures:
    """Return milliseconds: the median of each operation, and the purge's longest batch."""
    figures = {operation: median(timings[operation]) * 1000 for operation in OPERATIONS}
    return {**figures, "longest purge": max(timings["purge"]) * 1000}


def _bytes_per_row() -> Figures:
    """Return the bytes of the table and of each index for each session, on Postgres."""
    if not is_postgres():
        return {}
    with db.engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        rows = connection.execute(text("SELECT count(*) FROM refresh_tokens")).scalar_one()
        table = connection.execute(text("SELECT pg_table_size('refresh_tokens')")).scalar_one()
        indexes = connection.execute(
            text(
                "SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes"
                " WHERE relname = 'refresh_tokens'"
            )
        ).all()
    return {"table": table / rows, **{name: size / rows for name, size in indexes}}
