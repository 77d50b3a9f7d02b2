"""Assertions on responses and rows."""

import json
import re
import sqlite3
import threading
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from flask import Flask
from sqlalchemy import Connection, Row, event, select
from werkzeug.test import TestResponse

from authsvc.audit.model import SecurityEvent
from authsvc.database import our_engine
from authsvc.sessions.model import RefreshToken
from authsvc.users.model import User

COOKIE_CLEARED = "__Host-refresh_token=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"


def assert_problem(answer: TestResponse, status: int, code: str) -> None:
    """Assert that the response is that problem, in the documented form."""
    assert answer.mimetype == "application/problem+json", answer.text
    assert (answer.status_code, answer.json["status"]) == (status, status), answer.json
    assert answer.json["code"] == code, answer.json


def pointers(answer: TestResponse) -> list[str]:
    """Return the JSON pointers of a 422."""
    assert_problem(answer, 422, "validation_failed")
    return [fault["pointer"] for fault in answer.json["errors"]]


def claims(token: str) -> dict[str, object]:
    """Return the claims of a token, unverified."""
    body = token.split(".")[1]
    return json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def sessions(connection: Connection) -> list[Row]:
    """Return the rows of all sessions, oldest first."""
    return list(connection.execute(select(RefreshToken.__table__).order_by(RefreshToken.id)))


def users(connection: Connection) -> list[Row]:
    """Return the rows of all users, oldest first."""
    return list(connection.execute(select(User.__table__).order_by(User.id)))


def events(connection: Connection) -> list[Row]:
    """Return the rows of the audit trail, oldest first."""
    oldest_first = (SecurityEvent.at, SecurityEvent.id)
    return list(connection.execute(select(SecurityEvent.__table__).order_by(*oldest_first)))


def live_sessions(connection: Connection) -> int:
    return sum(row.revoked_at is None for row in sessions(connection))


@contextmanager
def counted_statements(app: Flask) -> Iterator[list[str]]:
    """Collect the SQL statements of the block, except those that begin and end transactions.

    SQLAlchemy's events report those that it executes, and the drivers report the others.
    """
    statements: list[str] = []
    executing = threading.local()

    def begins(conn, cursor, statement, *_) -> None:
        executing.by_sqlalchemy = True
        count(statement)

    def ends(*_) -> None:
        executing.by_sqlalchemy = False

    def driver_executes(statement: str) -> None:
        if not getattr(executing, "by_sqlalchemy", False):
            count(statement)

    def count(statement: str) -> None:
        word = statement.split()[0]
        if word == "WITH":  # what it does follows its subqueries
            [word] = re.findall(r"\b(DELETE|INSERT|UPDATE) (?:FROM|INTO|\w+ SET)\b", statement)
        if word in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            statements.append(word)

    class ReportingCursor(psycopg.Cursor):
        def execute(self, query, *args, **kwargs):
            driver_executes(query)
            return super().execute(query, *args, **kwargs)

    def taken(connection, record, proxy) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(driver_executes)
        else:
            connection.cursor_factory = ReportingCursor

    def returned(connection, record) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(None)
        elif connection is not None:
            connection.cursor_factory = psycopg.Cursor

    listeners = {
        "before_cursor_execute": begins,
        "after_cursor_execute": ends,
        "checkout": taken,
        "checkin": returned,
    }
    with app.app_context():
        engine = our_engine()
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield statements
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


@contextmanager
def away(app: Flask, file: Path) -> Iterator[None]:
    """Make the app's SQLite database impossible to open until the end of the block."""
    with app.app_context():
        engine = our_engine()
    engine.dispose()
    aside = file.with_suffix(".aside")
    file.rename(aside)
    file.mkdir()
    try:
        yield
    finally:
        file.rmdir()
        aside.rename(file)
