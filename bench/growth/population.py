"""A database filled with users and sessions, by COPY on Postgres."""

import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text

from authsvc import clock, create_app
from authsvc.database import db, schema, writing
from authsvc.factors.second_factor import Factors, Given
from authsvc.sessions.log_in import open_by_password
from authsvc.sessions.open import Opened
from authsvc.sessions.tokens import SessionTokens
from authsvc.settings import Settings
from authsvc.users.authentication import Authenticated
from authsvc.web import registry
from authsvc.web.client import Client
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

CHUNK = 50_000
OPENED_PER_CHUNK = 50
SESSIONS_PER_USER = 4
LIFETIMES = 5_000
CLIENT = Client(
    "192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)
USER_COLUMNS = ("id", "email", "email_key", "password_hash", "created_at")
SESSION_COLUMNS = (
    "id", "user_id", "token_hash", "issued_at", "expires_at", "last_used_at", "user_agent",
    "ip_address",
)  # fmt: skip


@dataclass(frozen=True)
class Population:
    """A filled database, behind an app of its own.

    Args:
        app: uses the database.
        users: the users' ids.
        opened: sessions that the service opened, among the stored ones.
    """

    app: Flask
    users: list[str]
    opened: list[Opened]


def populate(url: str, size: int) -> Population:
    """Migrate an empty database, and fill it with that many sessions."""
    schema.upgrade(url)
    settings = {
        "database_url": url,
        "access_token_secret": ACCESS_SECRET.hex(),
        "refresh_token_secret": REFRESH_SECRET.hex(),
    }
    app = create_app(Settings.model_validate(settings))
    with app.app_context():
        users, opened = _fill(size)
        with db.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            if is_postgres():
                connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM ANALYZE" if is_postgres() else "ANALYZE"))
    return Population(app, users, opened)


def is_postgres() -> bool:
    return db.engine.dialect.name == "postgresql"


def open_for(user: UUID) -> Opened:
    """Open a session in the current app."""
    tokens, factors = registry.get(SessionTokens), registry.get(Factors)
    known = Authenticated(user, "x", None, True)
    return open_by_password(tokens, factors, known, Given(), CLIENT, replaced=[])


def timestamp(instant: datetime) -> str:
    """Return the text that SQLite stores; Postgres reads it too, as UTC."""
    return f"{instant:%Y-%m-%d %H:%M:%S.%f}"


def _fill(number: int) -> tuple[list[str], list[Opened]]:
    """Add sessions of the past week, a tenth of them expired, and open real ones in between."""
    opened: list[Opened] = []
    began = time.monotonic()
    users = list(_user_rows(number // SESSIONS_PER_USER))
    _insert("users", USER_COLUMNS, users)
    ids = [user[0] for user in users]
    rows = _session_rows(ids, number)
    done = 0
    while chunk := list(islice(rows, CHUNK)):
        _insert("refresh_tokens", SESSION_COLUMNS, chunk)
        opened += [open_for(UUID(random.choice(ids))) for _ in range(OPENED_PER_CHUNK)]
        done += len(chunk)
        rate = done / (time.monotonic() - began)
        print(f"\r{db.engine.dialect.name}: {done:,} of {number:,} rows, {rate:,.0f} a second ",
              end="", file=sys.stderr)  # fmt: skip
    print(file=sys.stderr)
    return ids, opened


def _user_rows(number: int) -> Iterator[tuple[str, ...]]:
    now = timestamp(clock.now())
    for _ in range(number):
        id = os.urandom(16).hex()
        yield id, f"{id}@example.com", f"{id}@example.com", "x", now


def _session_rows(users: list[str], number: int) -> Iterator[tuple[Any, ...]]:
    """Yield rows with ready-made times: computing each row's own takes longer than storing it."""
    lifetimes = [_lifetime(expired=number_of_life % 10 == 0) for number_of_life in range(LIFETIMES)]
    for _ in range(number):
        milliseconds, issued_at, expires_at, used_at = random.choice(lifetimes)
        bits = os.urandom(42)
        id = f"{milliseconds}7{bits[:10].hex()[1:4]}8{bits[:10].hex()[5:]}"
        yield (
            id, random.choice(users), bits[10:], issued_at, expires_at, used_at,
            CLIENT.user_agent, CLIENT.ip_address,
        )  # fmt: skip


def _lifetime(*, expired: bool) -> tuple[str, str, str, str]:
    """Return the time part of a UUIDv7, and when the session was issued, expires and was used."""
    now, week = clock.now(), timedelta(days=7)
    expires = now + week * random.random()
    if expired:
        expires = now - timedelta(hours=2) - week * random.random()
    issued = expires - week
    used = max(issued, now - timedelta(days=1))
    milliseconds = int(issued.timestamp() * 1000).to_bytes(6, "big").hex()
    return milliseconds, timestamp(issued), timestamp(expires), timestamp(used)


def _insert(table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    names = ", ".join(columns)
    with writing() as connection:
        cursor = connection.connection.cursor()
        if not is_postgres():
            marks = ", ".join("?" for _ in columns)
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
            return
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL timezone = 'UTC'")
        cursor.execute("SET LOCAL session_replication_role = replica")  # no foreign-key checks
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            copy.write("".join(map(_copy_line, rows)))


def _copy_line(row: tuple[Any, ...]) -> str:
    cells = (rf"\\x{cell.hex()}" if isinstance(cell, bytes) else cell for cell in row)
    return "\t".join(cells) + "\n"
