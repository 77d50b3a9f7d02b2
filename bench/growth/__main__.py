"""What a session costs when there are many: python -m bench.growth [--most 10000000]

Fills `refresh_tokens` of one database for each size, by COPY on Postgres, and then times what the
service does with a session: the functions behind the routes, without HTTP and without hashing, so
that nothing hides the database. The sizes take turns, so that they can be compared even where the
machine is not quiet. Prints a table in Markdown; --plot writes an SVG.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from math import log10
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text

from authsvc import clock, create_app
from authsvc.audit.record import user_at
from authsvc.database import db, schema, writing
from authsvc.sessions.list import live_sessions
from authsvc.sessions.open import Opened
from authsvc.sessions.open import open_session as open_for
from authsvc.sessions.purge import purge
from authsvc.sessions.refresh import refresh_session
from authsvc.sessions.revoke import log_out
from authsvc.sessions.tokens import SessionTokens
from authsvc.settings import Settings
from authsvc.users.authentication import Authenticated
from authsvc.web import registry
from authsvc.web.client import Client
from bench.report.svg import COLOURS, GRID, Picture
from tests.support.postgres_cluster import CRASH_SAFE, Cluster, find_binaries
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

SIZES = (1_000, 100_000, 1_000_000, 10_000_000)
MOST_ON_SQLITE = 1_000_000
CHUNK = 50_000
ROUNDS = 20
SAMPLE = 50
PURGED_BATCHES = 5
SESSIONS_EACH = 4
CLIENT = Client(
    "192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)
OPERATIONS = ("refresh", "login", "logout", "list", "purge")
COLUMNS = (
    "id", "user_id", "token_hash", "issued_at", "expires_at", "last_used_at", "user_agent",
    "ip_address",
)  # fmt: skip

Timings = dict[str, list[float]]


@dataclass(frozen=True)
class Population:
    """A filled database, behind an app of its own."""

    app: Flask
    users: list[str]
    opened: list[Opened]


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--most", type=int, default=SIZES[-1])
    words.add_argument("--plot", type=Path)
    chosen = words.parse_args()
    sizes = [size for size in SIZES if size <= chosen.most]
    with tempfile.TemporaryDirectory() as folder:
        urls = {size: f"sqlite:///{folder}/{size}.db" for size in sizes if size <= MOST_ON_SQLITE}
        figures = {"SQLite": measure_all(urls)}
    binaries = find_binaries()
    assert binaries is not None, "Postgres is not installed here"
    cluster = Cluster(binaries, CRASH_SAFE).start()
    try:
        urls = {size: cluster.address.create_database(f"growth_{size}") for size in sizes}
        figures["Postgres"] = measure_all(urls)
    finally:
        cluster.destroy()
    for name, rows in figures.items():
        print_table(name, rows)
    if chosen.plot:
        chosen.plot.write_text(plot(figures))


def measure_all(urls: dict[int, str]) -> dict[int, dict[str, float]]:
    """The figures of each size; what else the machine does meets all sizes alike."""
    populations = {size: populate(url, size) for size, url in urls.items()}
    timings: dict[int, Timings] = {size: defaultdict(list) for size in urls}
    for number in range(ROUNDS + 1):
        for size, population in populations.items():
            with population.app.app_context():
                taken = one_round(population)
            if number > 0:  # the first one warms up
                for operation, seconds in taken.items():
                    timings[size][operation] += seconds
        print(f"\rround {number} of {ROUNDS} ", end="", file=sys.stderr)
    print(file=sys.stderr)
    figures = {}
    for size, population in populations.items():
        with population.app.app_context():
            figures[size] = summary(timings[size]) | bytes_per_row()
            db.engine.dispose()
    return figures


def populate(url: str, size: int) -> Population:
    schema.upgrade(url)
    settings = {
        "database_url": url,
        "access_token_secret": ACCESS_SECRET.hex(),
        "refresh_token_secret": REFRESH_SECRET.hex(),
    }
    app = create_app(Settings.model_validate(settings))
    with app.app_context():
        users, opened = fill(size)
        with db.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("SET statement_timeout = 0")) if is_postgres() else None
            connection.execute(text("VACUUM ANALYZE" if is_postgres() else "ANALYZE"))
    return Population(app, users, opened)


def is_postgres() -> bool:
    return db.engine.dialect.name == "postgresql"


USER_COLUMNS = ("id", "email", "email_key", "password_hash", "created_at")


def made_up_users(number: int) -> list[tuple[str, ...]]:
    ids = [os.urandom(16).hex() for _ in range(number)]
    return [(id, f"{id}@example.com", f"{id}@example.com", "x", stored(clock.now())) for id in ids]


def stored(instant: datetime) -> str:
    """As SQLite keeps it; Postgres reads it too, as UTC."""
    return f"{instant:%Y-%m-%d %H:%M:%S.%f}"


def fill(number: int) -> tuple[list[str], list[Opened]]:
    """Add sessions of the past week, a tenth of them over; real ones stand among them."""
    opened: list[Opened] = []
    began = time.monotonic()
    people = made_up_users(number // SESSIONS_EACH)
    add("users", USER_COLUMNS, people)
    users = [person[0] for person in people]
    rows = made_up(users, number)
    done = 0
    while chunk := list(islice(rows, CHUNK)):
        add("refresh_tokens", COLUMNS, chunk)
        opened += [open_session(UUID(random.choice(users))) for _ in range(SAMPLE)]
        done += len(chunk)
        rate = done / (time.monotonic() - began)
        print(f"\r{db.engine.dialect.name}: {done:,} of {number:,} rows, {rate:,.0f} a second ",
              end="", file=sys.stderr)  # fmt: skip
    print(file=sys.stderr)
    return users, opened


def made_up(users: list[str], number: int) -> Iterator[tuple[Any, ...]]:
    """Rows made of ready pieces, or making them would take longer than storing them."""
    now = clock.now()
    week, hour = timedelta(days=7), timedelta(hours=2)
    lives = []
    for number_of_life in range(5000):
        over = number_of_life % 10 == 0
        ends = now - hour - week * random.random() if over else now + week * random.random()
        issued = ends - week
        used = max(issued, now - timedelta(days=1))
        stamp = int(issued.timestamp() * 1000).to_bytes(6, "big").hex()
        lives.append((stamp, stored(issued), stored(ends), stored(used)))
    for _ in range(number):
        stamp, issued_at, expires_at, used_at = random.choice(lives)
        bits = os.urandom(42)
        id = f"{stamp}7{bits[:10].hex()[1:4]}8{bits[:10].hex()[5:]}"
        yield (
            id, random.choice(users), bits[10:], issued_at, expires_at, used_at,
            CLIENT.user_agent, CLIENT.ip_address,
        )  # fmt: skip


def add(table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    names = ", ".join(columns)
    with writing() as connection:
        cursor = connection.connection.cursor()
        if not is_postgres():
            marks = ", ".join("?" for _ in columns)
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
            return
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL timezone = 'UTC'")
        cursor.execute("SET LOCAL session_replication_role = replica")  # no look-up for each row
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            copy.write("".join(map(line, rows)))


def line(row: tuple[Any, ...]) -> str:
    cells = (rf"\\x{cell.hex()}" if isinstance(cell, bytes) else cell for cell in row)
    return "\t".join(cells) + "\n"


def open_session(user: UUID) -> Opened:
    return open_for(
        registry.get(SessionTokens), Authenticated(user, "x", None), CLIENT, replaced=[]
    )


def one_round(population: Population) -> Timings:
    """The seconds that each of some calls took, by operation."""
    tokens = registry.get(SessionTokens)
    fresh: list[Opened] = []
    batches = purge()
    some = random.sample(population.opened, SAMPLE)
    people = [UUID(user) for user in random.choices(population.users, k=SAMPLE)]
    return {
        "refresh": timed(
            [
                lambda one=one: refresh_session(tokens, tokens.verify(one.refresh_token), CLIENT)
                for one in some
            ]
        ),
        "login": timed([lambda user=user: fresh.append(open_session(user)) for user in people]),
        "logout": timed(
            [lambda one=one: log_out(tokens, [one.refresh_token], user_at(CLIENT)) for one in fresh]
        ),
        "list": timed([lambda user=user: live_sessions(user, tokens.idle_ttl) for user in people]),
        "purge": timed([lambda: next(batches, None)] * PURGED_BATCHES),
    }


def timed(calls: list[Callable[[], object]]) -> list[float]:
    taken = []
    for call in calls:
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return taken


def summary(timings: Timings) -> dict[str, float]:
    """Milliseconds: the median of each operation, and the purge's longest batch."""
    figures = {operation: median(timings[operation]) * 1000 for operation in OPERATIONS}
    return {**figures, "longest purge": max(timings["purge"]) * 1000}


def bytes_per_row() -> dict[str, float]:
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


def print_table(name: str, figures: dict[int, dict[str, float]]) -> None:
    columns = list(next(iter(figures.values())))
    print(f"\n{name} (ms: medians, and the longest batch of the purge; then bytes per session)\n")
    print("| rows |", " | ".join(columns), "|")
    print("| ---: |", " | ".join("---:" for _ in columns), "|")
    for size, row in figures.items():
        print(f"| {size:,} |", " | ".join(f"{row[column]:.2f}" for column in columns), "|")


WIDTH, HEIGHT, EDGE = 640, 400, 60


def plot(figures: dict[str, dict[int, dict[str, float]]]) -> str:
    """Both axes by powers of ten: 1 thousand to 10 million rows, 0.1 to 1,000 ms."""

    def x(rows: int) -> float:
        return EDGE + (log10(rows) - 3) / 4 * (WIDTH - 3 * EDGE)

    def y(ms: float) -> float:
        return HEIGHT - EDGE - (log10(max(ms, 0.1)) + 1) / 4 * (HEIGHT - 2 * EDGE)

    picture = Picture(WIDTH, HEIGHT)
    for power in range(3, 8):
        picture.text(x(10**power), HEIGHT - 40, f"{10**power:,}", anchor="middle")
    for ms in (0.1, 1, 10, 100, 1000):
        picture.line([(EDGE, y(ms)), (x(10**7), y(ms))], stroke=GRID)
        picture.text(EDGE - 6, y(ms) + 4, f"{ms:g} ms", anchor="end")
    for number, (name, colour) in enumerate(zip(OPERATIONS, COLOURS, strict=True)):
        for database, dashes in (("Postgres", ""), ("SQLite", "5 4")):
            points = [(x(rows), y(row[name])) for rows, row in figures[database].items()]
            picture.line(points, stroke=colour, width=2, dashes=dashes)
        picture.text(WIDTH - 100, EDGE + 20 * number, name, fill=colour)
    picture.text(EDGE, 30, "sessions in the table; solid: Postgres, dashed: SQLite")
    return picture.render()


if __name__ == "__main__":
    main()
