"""POST /auth/logout."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import Connection

from authsvc.database import schema
from authsvc.tokens.jws import sign
from authsvc.tokens.keyring import Keyring, hmac_key
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import (
    COOKIE_CLEARED,
    assert_problem,
    away,
    claims,
    events,
    live_sessions,
    sessions,
)
from tests.support.signing_secrets import REFRESH_SECRET

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def test_refresh_after_logout_is_refused(alice: Person) -> None:
    alice.logged_in()
    kept = alice.refresh_token
    assert alice.log_out().status_code == 204
    alice.refresh_token = kept
    answer = alice.refresh()
    assert_problem(answer, 401, "refresh_token_revoked")
    assert "Set-Cookie" not in answer.headers


@time_machine.travel(NOON, tick=False)
def test_logout_revokes_the_row_and_clears_the_cookie(
    alice: Person, connection: Connection
) -> None:
    answer = alice.logged_in().log_out()
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers.getlist("Set-Cookie") == [COOKIE_CLEARED]
    (row,) = sessions(connection)
    assert row.revoked_at == NOON


def test_logout_revokes_this_session_only(
    alice: Person, bob: Person, connection: Connection
) -> None:
    phone = alice.on_another_device().logged_in()
    bob.logged_in()
    alice.logged_in().log_out()
    assert live_sessions(connection) == 2
    assert phone.refresh().status_code == bob.refresh().status_code == 200


@pytest.mark.parametrize("cookie", ["", "garbage", "a.b.c"])
def test_logout_with_nothing_to_revoke_is_204(alice: Person, cookie: str) -> None:
    alice.refresh_token = cookie
    answer = alice.log_out()
    assert answer.status_code == 204
    assert answer.headers.getlist("Set-Cookie") == [COOKIE_CLEARED]


def test_a_second_logout_is_204_and_leaves_revoked_at_unchanged(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        again = alice.logged_in().on_same_device()
        alice.log_out()
        before = sessions(connection)
        clock.shift(timedelta(hours=1))
        assert again.log_out().status_code == 204
    assert sessions(connection) == before


@pytest.mark.parametrize(
    ("later", "header"),
    [
        (timedelta(), {}),
        (timedelta(hours=1), {"Authorization": "Bearer {}"}),
        (timedelta(hours=1), {"Authorization": "Bearer garbage"}),
        (timedelta(days=8), {}),
        (timedelta(minutes=-10), {}),
    ],
    ids=["no", "expired", "garbage", "expired refresh token", "clock set back"],
)
def test_logout_works_whatever_the_state_of_the_access_token_and_the_clock(
    alice: Person, connection: Connection, later: timedelta, header: dict[str, str]
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        clock.shift(later)
        sent = {name: value.format(alice.access_token) for name, value in header.items()}
        assert alice.log_out(**sent).status_code == 204
    assert live_sessions(connection) == 0


def test_logout_with_the_cookie_twice_revokes_both(alice: Person, connection: Connection) -> None:
    tokens = [alice.on_another_device().logged_in().refresh_token for _ in range(2)]
    twice = "; ".join(f"__Host-refresh_token={token}" for token in tokens)
    assert alice.call("POST", "/auth/logout", headers={"Cookie": twice}).status_code == 204
    assert live_sessions(connection) == 0
    assert [row.event for row in events(connection)][-2:] == ["logged_out"] * 2


def test_the_body_of_a_logout_is_ignored(alice: Person, connection: Connection) -> None:
    alice.logged_in()
    answer = alice.call("POST", "/auth/logout", data=b"[", content_type="application/json")
    assert answer.status_code == 204
    assert live_sessions(connection) == 0


def test_a_logout_that_cannot_be_stored_is_503_and_keeps_the_cookie(
    make_app: MakeApp, tmp_path: Path
) -> None:
    file = tmp_path / "authsvc.db"
    schema.upgrade(f"sqlite:///{file}")
    app = make_app(database_url=f"sqlite:///{file}")
    carol = Person(app, "carol@example.com", "a lamp that is not lit").register().logged_in()
    kept = carol.refresh_token
    with away(app, file):
        answer = carol.log_out()
        assert_problem(answer, 503, "service_unavailable")
        assert answer.headers["Retry-After"] == "2"
        assert "Set-Cookie" not in answer.headers
    assert carol.refresh_token == kept
    assert carol.refresh().status_code == 200


def test_a_garbage_cookie_of_the_same_name_does_not_prevent_a_logout(
    alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    twice = f"__Host-refresh_token=garbage; __Host-refresh_token={alice.refresh_token}"
    assert alice.log_out(Cookie=twice).status_code == 204
    assert live_sessions(connection) == 0


def test_another_token_of_the_same_session_revokes_nothing(
    alice: Person, connection: Connection
) -> None:
    issued = claims(alice.logged_in().refresh_token)
    forged = sign({**issued, "jti": str(uuid4())}, Keyring("rt+jwt", hmac_key(REFRESH_SECRET)))
    alice.refresh_token = forged
    assert alice.log_out().status_code == 204
    assert live_sessions(connection) == 1
