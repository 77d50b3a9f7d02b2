"""Sessions that expired long ago are removed from the table, and no others."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, select, text

from authsvc import clock
from authsvc.database import writing
from authsvc.database.purging import BATCH
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.purge import KEPT, purge
from tests.sessions.rows import add_sessions
from tests.support.people import Person

DAY = timedelta(days=1)


def sessions(connection: Connection) -> int:
    return connection.execute(text("SELECT count(*) FROM refresh_tokens")).scalar_one()


def test_expired_sessions_are_removed_in_batches(app: Flask, connection: Connection) -> None:
    add_sessions(connection, BATCH + 3, expired_for=DAY)
    with app.app_context():
        assert list(purge()) == [BATCH, 3]
    assert sessions(connection) == 0


@pytest.mark.every_case
@pytest.mark.parametrize("expired_for", [-DAY, timedelta(), KEPT - timedelta(minutes=1)])
def test_live_and_recently_expired_sessions_are_kept(
    app: Flask, connection: Connection, expired_for: timedelta
) -> None:
    add_sessions(connection, 1, expired_for)
    with app.app_context():
        assert list(purge()) == []
    assert sessions(connection) == 1


def test_a_revoked_session_is_reported_as_revoked_until_it_would_have_expired(
    alice: Person,
) -> None:
    alice.logged_in()
    kept = alice.refresh_token
    alice.log_out()
    with time_machine.travel(clock.now() + 6 * DAY, tick=False), alice.app.app_context():
        list(purge())
        alice.refresh_token = kept
        assert alice.refresh().json["code"] == "refresh_token_revoked"


def test_a_login_removes_one_batch_once_a_batch_is_full(
    alice: Person, connection: Connection
) -> None:
    add_sessions(connection, BATCH - 1, expired_for=DAY)
    alice.log_in().close()
    assert sessions(connection) == BATCH
    add_sessions(connection, BATCH + 5, expired_for=DAY)
    alice.log_in().close()
    assert sessions(connection) == BATCH + 6


@pytest.mark.parametrize("expired_for", [-KEPT / 2, KEPT / 2])
def test_a_login_removes_no_live_or_recently_expired_session(
    alice: Person, connection: Connection, expired_for: timedelta
) -> None:
    add_sessions(connection, BATCH, expired_for)
    alice.log_in().close()
    assert sessions(connection) == BATCH + 1


def test_two_concurrent_purges_remove_different_rows_without_waiting(
    app: Flask, connection: Connection, database: str
) -> None:
    if database == "sqlite":
        return  # it has one writer at a time
    add_sessions(connection, 8, expired_for=DAY)
    with app.app_context(), writing() as other:
        locked = select(RefreshToken.id).limit(3).with_for_update()
        assert len(other.execute(locked).all()) == 3
        assert list(purge()) == [5]
    assert sessions(connection) == 3


def test_a_login_does_not_fail_when_the_purge_does(alice: Person, connection: Connection) -> None:
    add_sessions(connection, BATCH, expired_for=DAY)
    with alice.app.app_context():
        answer = alice.log_in()
        connection.execute(text("ALTER TABLE refresh_tokens RENAME TO hidden"))
        try:
            answer.close()
        finally:
            connection.execute(text("ALTER TABLE hidden RENAME TO refresh_tokens"))
    assert answer.status_code == 200
    assert sessions(connection) == BATCH + 1


def test_the_purge_reads_an_index_and_not_the_table(
    app: Flask, connection: Connection, database: str
) -> None:
    add_sessions(connection, 3000, expired_for=-DAY)
    connection.execute(text("ANALYZE refresh_tokens"))
    explain = "EXPLAIN QUERY PLAN" if database == "sqlite" else "EXPLAIN"
    plan = connection.execute(
        text(
            f"{explain} SELECT id FROM refresh_tokens WHERE expires_at < :now"
            " ORDER BY expires_at LIMIT 500"
        ),
        {"now": "2026-11-24 00:00:00.000000"},
    )
    assert "ix_refresh_tokens_expires_at" in "\n".join(str(row[-1]) for row in plan)
