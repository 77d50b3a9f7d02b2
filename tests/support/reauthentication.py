"""The requests of a person who authenticates again, and what a test lets happen meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import Connection, event
from werkzeug.test import TestResponse

from authsvc.database import our_engine
from tests.support.people import Person
from tests.support.responses import events

PATH = "/auth/reauthenticate"


def again(
    person: Person, *, headers: dict[str, str] | None = None, **given: object
) -> TestResponse:
    """Authenticate again, and assert that the response neither sets nor clears a cookie."""
    answer = person.call("POST", PATH, json=given, headers=headers)
    assert "Set-Cookie" not in answer.headers
    return answer


def by_password(person: Person, **headers: str) -> TestResponse:
    """Authenticate again with the person's own password."""
    return again(person, password=person.password, headers=headers)


def events_of(connection: Connection, *kinds: str) -> list[tuple[str, str | None]]:
    """Return the events of these kinds with their details, oldest first."""
    return [(row.event, row.detail) for row in events(connection) if row.event in kinds]


def reauthentications(connection: Connection) -> list[tuple[str, str | None]]:
    """Return the recorded reauthentications with their details, oldest first."""
    return events_of(connection, "reauthenticated", "reauthentication_refused")


@contextmanager
def acting_before(app: Flask, words: str, act: Callable[[], object]) -> Iterator[None]:
    """Call a function once, before the app executes the first statement that has these words."""
    waiting = [act]

    def look(connection: object, cursor: object, statement: str, *_: object) -> None:
        if words in statement and waiting:
            waiting.pop()()

    with app.app_context():
        engine = our_engine()
    event.listen(engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", look)
    assert not waiting, f"no statement had {words!r}"
