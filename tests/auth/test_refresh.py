"""POST /auth/refresh."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, event, text

from authsvc.database import our_engine, writing
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, sessions

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_refresh_returns_an_access_token_and_never_a_cookie(alice: Person) -> None:
    alice.logged_in()
    answer = alice.refresh()
    token = answer.json["access_token"]
    assert answer.status_code == 200
    assert answer.json == {"access_token": token, "token_type": "Bearer", "expires_in": 600}
    assert "Set-Cookie" not in answer.headers


def test_the_new_access_token_belongs_to_the_same_session_and_works(alice: Person) -> None:
    alice.logged_in()
    first = claims(alice.access_token)
    second = claims(alice.refresh().json["access_token"])
    assert first["jti"] != second["jti"]
    assert {**second, "jti": 0, "iat": 0, "exp": 0} == {**first, "jti": 0, "iat": 0, "exp": 0}
    assert alice.call("GET", "/api/me").status_code == 200


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data", "nonsense"]
)
def test_the_body_of_a_refresh_is_ignored(alice: Person, kind: str) -> None:
    alice.logged_in()
    answer = alice.call("POST", "/auth/refresh", data=b'{"a": 1, "a"', content_type=kind)
    assert answer.status_code == 200


def test_without_a_cookie_a_refresh_is_refused(alice: Person) -> None:
    answer = alice.refresh()
    assert_problem(answer, 401, "refresh_token_missing")
    assert "Set-Cookie" not in answer.headers
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize("cookie", ["", "garbage", "a.b.c", "a=b", '"a.b.c"', "x" * 5000])
def test_a_garbage_cookie_is_refused(alice: Person, cookie: str) -> None:
    sent = {"Cookie": f"__Host-refresh_token={cookie}"}
    answer = alice.call("POST", "/auth/refresh", headers=sent)
    assert_problem(answer, 401, "refresh_token_invalid")
    assert "Set-Cookie" not in answer.headers


def test_a_cookie_sent_twice_is_refused(alice: Person) -> None:
    token = alice.logged_in().refresh_token
    twice = f"__Host-refresh_token={token}; __Host-refresh_token={token}"
    answer = alice.call("POST", "/auth/refresh", headers={"Cookie": twice})
    assert_problem(answer, 401, "refresh_token_invalid")


def test_other_cookies_do_not_matter(alice: Person) -> None:
    token = alice.logged_in().refresh_token
    many = f"a=b; __Host-refresh_token={token}; refresh_token=x; c"
    assert alice.call("POST", "/auth/refresh", headers={"Cookie": many}).status_code == 200


@pytest.mark.parametrize("before", ["\u00a0", "X"])
def test_a_cookie_whose_name_only_ends_like_ours_is_ignored(alice: Person, before: str) -> None:
    token = alice.logged_in().refresh_token
    answer = alice.refresh(Cookie=f"{before}__Host-refresh_token={token}")
    assert_problem(answer, 401, "refresh_token_missing")


def test_the_refresh_token_is_read_from_the_cookie_only(alice: Person) -> None:
    token = alice.logged_in().refresh_token
    alice.refresh_token = ""
    bearer = {"Authorization": f"Bearer {token}"}
    answers = [
        alice.call("POST", "/auth/refresh", headers=bearer),
        alice.call("POST", "/auth/refresh", json={"refresh_token": token}),
        alice.call("POST", f"/auth/refresh?refresh_token={token}"),
    ]
    for answer in answers:
        assert_problem(answer, 401, "refresh_token_missing")


def test_an_access_token_is_refused_as_refresh_token(alice: Person) -> None:
    alice.logged_in()
    alice.refresh_token = alice.access_token
    assert_problem(alice.refresh(), 401, "refresh_token_invalid")


def test_a_refresh_token_without_its_row_is_refused(alice: Person, app: Flask) -> None:
    alice.logged_in()
    with app.app_context(), writing() as connection:
        connection.execute(text("DELETE FROM refresh_tokens"))
    assert_problem(alice.refresh(), 401, "refresh_token_invalid")


@pytest.mark.parametrize(
    "change",
    [
        "token_hash = (SELECT token_hash FROM refresh_tokens WHERE user_id = {bob})",
        "user_id = {bob}",
    ],
)
def test_a_refresh_token_that_differs_from_its_row_is_refused(
    alice: Person, bob: Person, app: Flask, change: str
) -> None:
    alice.logged_in()
    bob.logged_in()
    his = "(SELECT id FROM users WHERE email_key = 'bob@example.com')"
    update = f"UPDATE refresh_tokens SET {change} WHERE user_id <> {{bob}}"
    with app.app_context(), writing() as connection:
        connection.execute(text(update.format(bob=his)))
    assert_problem(alice.refresh(), 401, "refresh_token_invalid")


@pytest.mark.parametrize(
    "change",
    ["UPDATE users SET disabled_at = '2026-01-01 00:00:00.000000'", "DELETE FROM users"],
)
def test_a_disabled_or_deleted_user_is_refused(alice: Person, app: Flask, change: str) -> None:
    alice.logged_in()
    with app.app_context(), writing() as connection:
        connection.execute(text(change))
    answer = alice.refresh()
    assert_problem(answer, 401, "refresh_token_revoked")
    assert "Set-Cookie" not in answer.headers


def test_refreshes_do_not_extend_the_life_of_a_session(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        before = sessions(connection)
        for _ in range(6):
            clock.shift(DAY)
            assert alice.refresh().status_code == 200
        clock.shift(DAY - timedelta(seconds=1))
        assert alice.refresh().json["expires_in"] == 1
        clock.shift(timedelta(seconds=1))
        answer = alice.on_same_device().refresh()
        assert_problem(answer, 401, "refresh_token_expired")
        clock.shift(timedelta(seconds=60))
        assert_problem(alice.refresh(), 401, "refresh_token_expired")
    assert "Set-Cookie" not in answer.headers
    (row,) = sessions(connection)
    assert row.expires_at == before[0].expires_at


def test_after_a_refresh_token_has_expired_the_person_must_log_in_again(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        clock.shift(8 * DAY)
        assert_problem(alice.refresh(), 401, "refresh_token_expired")
        assert_problem(alice.call("GET", "/api/me"), 401, "access_token_expired")
        assert alice.logged_in().call("GET", "/api/me").status_code == 200


def test_a_session_that_was_idle_too_long_is_expired(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        clock.shift(3 * DAY - timedelta(seconds=1))
        assert alice.refresh().status_code == 200
        clock.shift(3 * DAY)
        answer = alice.refresh()
    assert_problem(answer, 401, "refresh_token_expired")
    assert "Set-Cookie" not in answer.headers


def test_last_used_at_is_updated_once_an_hour(alice: Person, connection: Connection) -> None:
    times = []
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        for minutes in (0, 59, 1, 59):
            clock.shift(timedelta(minutes=minutes))
            alice.refresh()
            times.append(sessions(connection)[0].last_used_at.strftime("%H:%M"))
    assert times == ["12:00", "12:00", "13:00", "13:00"]


def test_a_late_update_of_last_used_at_does_not_overwrite_a_newer_one(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        clock.shift(DAY)

        def overtake(*_: object) -> None:
            clock.shift(60)
            assert alice.on_same_device().refresh().status_code == 200
            clock.shift(-60)

        with alice.app.app_context():
            event.listen(
                our_engine(), "checkin", overtake, once=True
            )  # after its SELECT, before its UPDATE
        assert alice.refresh().status_code == 200
    (row,) = sessions(connection)
    assert row.last_used_at == NOON + DAY + timedelta(seconds=60)


def test_with_a_short_idle_limit_last_used_at_is_updated_more_often(
    alice: Person, make_app: MakeApp
) -> None:
    app = make_app(refresh_token_idle_ttl=1200)
    person = Person(app, alice.email, alice.password)
    with time_machine.travel(NOON, tick=False) as clock:
        person.logged_in()
        for _ in range(30):
            clock.shift(timedelta(seconds=600))
            assert person.refresh().status_code == 200


def test_a_refresh_changes_no_row(alice: Person, connection: Connection) -> None:
    alice.logged_in()
    before = sessions(connection)
    for _ in range(5):
        alice.refresh()
    assert sessions(connection) == before


def test_concurrent_refreshes_all_succeed_each_with_its_own_jti(alice: Person) -> None:
    alice.logged_in()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: alice.on_same_device().refresh(), range(24)))
    assert [answer.status_code for answer in answers] == [200] * 24
    assert len({claims(answer.json["access_token"])["jti"] for answer in answers}) == 24


def test_tokens_of_refreshes_racing_a_logout_are_refused_a_second_later(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()

        def race(number: int):
            device = alice.on_same_device()
            return device.log_out() if number == 20 else device.refresh()

        late = alice.on_same_device()
        with ThreadPoolExecutor(8) as threads:
            answers = [*threads.map(race, range(50)), late.refresh()]
        got = [answer.json["access_token"] for answer in answers if answer.status_code == 200]
        assert {answer.status_code for answer in answers} == {200, 204, 401}
        clock.shift(timedelta(seconds=1))
        for token in got:
            alice.access_token = token
            assert_problem(alice.call("GET", "/api/me"), 401, "access_token_revoked")


def test_a_clock_set_back_extends_no_session_and_no_revoked_session_is_valid(
    alice: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        phone = alice.on_another_device().logged_in()
        alice.logged_in()
        expires = [row.expires_at for row in sessions(connection)]
        clock.shift(DAY)
        kept = alice.on_same_device()
        alice.log_out()
        clock.shift(timedelta(minutes=-10))
        assert_problem(kept.refresh(), 401, "refresh_token_revoked")
        assert phone.refresh().status_code == 200
        assert [row.expires_at for row in sessions(connection)] == expires


def test_a_session_opened_by_a_clock_that_is_ahead_can_be_refreshed(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        clock.shift(timedelta(minutes=-10))
        assert alice.refresh().status_code == 200
        assert alice.call("GET", "/api/me").status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
def test_other_methods_are_not_allowed(alice: Person, method: str, path: str) -> None:
    answer = alice.logged_in().call(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] in ("OPTIONS, POST", "POST, OPTIONS")
    assert alice.refresh().status_code == 200
