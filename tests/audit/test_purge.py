"""Old events are removed from the table, and nothing else is."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, insert, text

from authsvc import clock
from authsvc.audit.model import SecurityEvent, first_id, new_ids
from authsvc.audit.purge import purge
from authsvc.database.purging import BATCH
from tests.conftest import MakeApp
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import events

NOON = datetime(2036, 11, 24, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TTL = 90 * DAY


def add_events(connection: Connection, number: int, age: timedelta) -> None:
    at = clock.now() - age
    row = {"at": at, "event": "login_refused", "actor": "user"}
    rows = [{"id": id, **row} for id in new_ids(at, number)]
    with connection.engine.begin() as together:
        together.execute(insert(SecurityEvent), rows)


def number(connection: Connection) -> int:
    return connection.execute(text("SELECT count(*) FROM security_events")).scalar_one()


def test_old_events_are_removed_in_batches(app: Flask, connection: Connection) -> None:
    add_events(connection, BATCH + 3, age=TTL + DAY)
    add_events(connection, 2, age=TTL - DAY)
    with app.app_context():
        assert list(purge(TTL.total_seconds())) == [BATCH, 3]
    assert number(connection) == 2


def test_an_event_is_removed_when_it_is_older_than_the_setting(
    app: Flask, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as traveller, app.app_context():
        add_events(connection, 1, age=timedelta())
        traveller.shift(DAY)
        assert list(purge(86_400)) == []
        traveller.shift(timedelta(milliseconds=1))
        assert list(purge(86_400)) == [1]


def test_a_clock_that_was_set_back_removes_nothing_early(
    app: Flask, connection: Connection
) -> None:
    """C1: the id of an event has the time of the clock at its recording."""
    with time_machine.travel(NOON, tick=False) as traveller, app.app_context():
        add_events(connection, 1, age=timedelta())
        traveller.shift(timedelta(minutes=-10))
        add_events(connection, 1, age=timedelta())
        assert list(purge(60)) == []
        first, second = events(connection)
        assert (first.at, second.at) == (NOON - timedelta(minutes=10), NOON)
        assert first.id < second.id


def test_databases_sort_the_ids_of_events_by_time(connection: Connection) -> None:
    instants = [NOON + timedelta(milliseconds=n) for n in (0, 1, 255, 256, 65_536, 10**9, 10**12)]
    rows = [{"id": id, "at": at} for at in instants for id in new_ids(at, 3)]
    same = {"event": "registered", "actor": "user"}
    connection.execute(insert(SecurityEvent), [row | same for row in reversed(rows)])
    query = SecurityEvent.__table__.select().order_by(SecurityEvent.id)
    assert [row.id for row in connection.execute(query)] == [row["id"] for row in rows]
    for at in instants:
        later = query.where(SecurityEvent.id >= first_id(at))
        assert [row.at for row in connection.execute(later)] == [
            row["at"] for row in rows if row["at"] >= at
        ]


def test_a_login_removes_a_batch_of_old_events(
    alice: Person, make_app: MakeApp, connection: Connection
) -> None:
    person = Person(make_app(audit_ttl=3600), alice.email, alice.password)
    before = number(connection)
    add_events(connection, BATCH - 1, age=timedelta(hours=2))
    person.log_in().close()
    assert number(connection) == before + BATCH - 1 + 1
    add_events(connection, 1 + 5, age=timedelta(hours=2))
    person.on_another_device().log_in().close()
    assert number(connection) == before + 5 + 2


def test_a_login_succeeds_if_the_purge_fails(alice: Person, connection: Connection) -> None:
    add_events(connection, BATCH, age=TTL + DAY)
    with alice.app.app_context():
        answer = alice.log_in()
        connection.execute(text("ALTER TABLE security_events RENAME TO hidden"))
        try:
            answer.close()
        finally:
            connection.execute(text("ALTER TABLE hidden RENAME TO security_events"))
    assert answer.status_code == 200
    assert number(connection) == BATCH + 2


def test_audit_purge_removes_old_events_and_shows_how_many(
    operator: Operator, app: Flask, connection: Connection
) -> None:
    add_events(connection, 3, age=TTL + DAY)
    add_events(connection, 1, age=TTL - DAY)
    assert "3 old events are removed." in operator.run("audit", "purge").output
    operator.environment["AUTHSVC_AUDIT_TTL"] = "60"
    assert "1 old events are removed." in operator.run("audit", "purge").output
    assert number(connection) == 0


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT id FROM security_events WHERE id < :id ORDER BY id LIMIT 100", "pk_security|auto"),
        (
            "SELECT id FROM security_events WHERE user_id = :id AND id < :id"
            " ORDER BY id DESC LIMIT 100",
            "ix_security_events_user_id_id",
        ),
    ],
)
def test_the_purge_and_the_activity_read_an_index_and_not_the_table(
    app: Flask, connection: Connection, database: str, query: str, index: str
) -> None:
    add_events(connection, 3000, age=timedelta())
    connection.execute(text("ANALYZE security_events"))
    explain = "EXPLAIN QUERY PLAN" if database == "sqlite" else "EXPLAIN"
    old = first_id(NOON - DAY)
    value = old.hex if database == "sqlite" else old
    plan = connection.execute(text(f"{explain} {query}"), {"id": value})
    details = "\n".join(str(row[-1]) for row in plan)
    assert any(name in details for name in index.split("|")), details
