"""Revoking the sessions of all users, page by page."""

from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask
from sqlalchemy import Connection

from authsvc.audit.record import OPERATOR
from authsvc.sessions.revoke import PAGE, revoke_all_users
from tests.sessions.rows import add_sessions
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import live_sessions, sessions

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_all_sessions_are_revoked_page_by_page(app: Flask, connection: Connection) -> None:
    add_sessions(connection, 2 * PAGE + 3, expired_for=-DAY)
    with app.app_context():
        assert list(revoke_all_users(OPERATOR)) == [PAGE, PAGE, 3]
    assert live_sessions(connection) == 0


def test_revoking_all_sessions_leaves_revoked_and_expired_ones_unchanged(
    alice: Person, connection: Connection, operator: Operator
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.on_another_device().logged_in()
        clock.shift(7 * DAY)
        alice.on_another_device().logged_in().log_out()
        clock.shift(60)
        alice.logged_in()
        assert "1 sessions are revoked" in operator.run("sessions", "revoke", "--all").output
    week_later = NOON + 7 * DAY
    assert [row.revoked_at for row in sessions(connection)] == [
        None,
        week_later,
        week_later + timedelta(minutes=1),
    ]
