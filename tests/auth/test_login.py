"""POST /auth/login."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text

from authsvc.database import writing
from authsvc.problems import InvalidCredentials
from authsvc.users import accounts
from tests.conftest import MakeApp
from tests.support.direct_login import open_for, verify_password
from tests.support.mail_routes import VERIFY, resend, verify
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.responses import (
    assert_problem,
    claims,
    counted_statements,
    events,
    live_sessions,
    sessions,
)

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def test_login_issues_an_access_token_and_a_refresh_token(alice: Person) -> None:
    answer = alice.log_in()
    assert answer.status_code == 200
    token = answer.json["access_token"]
    assert answer.json == {"access_token": token, "token_type": "Bearer", "expires_in": 600}
    assert answer.headers.getlist("Set-Cookie") == [
        f"__Host-refresh_token={alice.refresh_token}; Path=/; Secure; HttpOnly; "
        "SameSite=Strict; Max-Age=604800"
    ]
    assert len(alice.refresh_token.split(".")) == 3


def test_the_access_token_lives_ten_minutes_and_the_refresh_token_seven_days(
    alice: Person,
) -> None:
    alice.logged_in()
    access, refresh = claims(alice.access_token), claims(alice.refresh_token)
    assert access["exp"] - access["iat"] == 600
    assert refresh["exp"] - refresh["iat"] == 7 * 24 * 3600
    assert access["sid"] == refresh["sid"]
    assert access["sub"] == refresh["sub"]


def test_the_refresh_token_is_in_no_body_and_the_access_token_in_no_cookie(alice: Person) -> None:
    answer = alice.log_in()
    assert alice.refresh_token not in answer.text
    assert alice.access_token not in str(answer.headers)
    assert "refresh" not in answer.text


def test_the_tokens_contain_nothing_personal(alice: Person) -> None:
    alice.logged_in()
    names = {"iss", "sub", "aud", "exp", "iat", "jti", "sid", "auth_time"}
    assert set(claims(alice.access_token)) == names | {"client_id", "amr", "acr"}
    assert set(claims(alice.refresh_token)) == names


@time_machine.travel(NOON, tick=False)
def test_the_row_of_a_session_has_the_hash_of_its_refresh_token(
    alice: Person, connection: Connection
) -> None:
    alice.log_in(**{"User-Agent": "a browser"})
    (row,) = sessions(connection)
    assert str(row.id) == claims(alice.refresh_token)["sid"]
    assert row.token_hash == hashlib.sha256(alice.refresh_token.encode()).digest()
    assert row.issued_at == row.last_used_at == NOON
    assert row.expires_at == NOON + timedelta(days=7)
    assert (row.revoked_at, row.user_agent, row.ip_address) == (None, "a browser", "127.0.0.1")


def test_a_long_user_agent_is_truncated_and_an_empty_one_is_null(
    alice: Person, connection: Connection
) -> None:
    for agent in ("x" * 1000, ""):
        alice.on_another_device().log_in(**{"User-Agent": agent})
    assert {row.user_agent for row in sessions(connection)} == {"x" * 255, None}


def test_an_unknown_address_a_wrong_password_and_a_disabled_account_get_the_same_response(
    alice: Person, bob: Person, app: Flask
) -> None:
    with app.app_context(), writing() as connection:
        connection.execute(
            text(
                "UPDATE users SET disabled_at = '2026-01-01 00:00:00'"
                " WHERE email_key = 'bob@example.com'"
            )
        )
    alice.password = "not the password of Alice"
    unknown = Person(app, "unknown@example.com", "the password of nobody")
    answers = [person.log_in(**{"X-Request-ID": "one"}) for person in (alice, bob, unknown)]
    for answer in answers:
        assert_problem(answer, 401, "invalid_credentials")
        assert answer.json == answers[0].json
        assert sorted(answer.headers) == sorted(answers[0].headers)
        assert "Set-Cookie" not in answer.headers
        assert "WWW-Authenticate" not in answer.headers


def test_the_case_of_an_address_does_not_matter(alice: Person) -> None:
    alice.email = "ALICE@Example.COM"
    assert alice.log_in().status_code == 200


def test_each_login_opens_a_new_session(alice: Person, connection: Connection) -> None:
    phone = alice.on_another_device()
    assert alice.log_in().status_code == phone.log_in().status_code == 200
    assert claims(alice.refresh_token)["sid"] != claims(phone.refresh_token)["sid"]
    assert live_sessions(connection) == 2


def test_a_login_never_adopts_the_session_of_the_cookie_in_the_request(
    alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    first = alice.refresh_token
    alice.logged_in()
    assert alice.refresh_token != first
    assert claims(alice.refresh_token)["sid"] != claims(first)["sid"]


def test_a_login_revokes_the_live_session_of_the_cookie_in_the_request(
    alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    first = alice.refresh_token
    alice.logged_in()
    old, new = sessions(connection)
    assert old.revoked_at is not None
    assert new.revoked_at is None
    alice.refresh_token = first
    assert_problem(alice.refresh(), 401, "refresh_token_revoked")


def test_a_failed_login_revokes_no_session(alice: Person, connection: Connection) -> None:
    alice.logged_in()
    alice.password = "not the password of Alice"
    assert_problem(alice.log_in(), 401, "invalid_credentials")
    assert live_sessions(connection) == 1
    assert alice.refresh().status_code == 200


def test_a_login_with_a_garbage_cookie_succeeds(alice: Person) -> None:
    alice.refresh_token = "garbage"
    assert alice.log_in().status_code == 200


def test_a_login_racing_a_password_change_opens_no_session(
    alice: Person, app: Flask, connection: Connection
) -> None:
    alice.logged_in()
    with app.app_context():
        authenticated = verify_password(alice.email, alice.password)
    new = {"current_password": alice.password, "new_password": "a lamp that is not lit"}
    assert alice.call("PUT", "/api/me/password", json=new).status_code == 200
    with app.app_context(), pytest.raises(InvalidCredentials):
        open_for(authenticated)
    assert live_sessions(connection) == 1  # the one that the password change opened


def test_a_login_racing_the_deletion_of_the_account_opens_no_session(
    alice: Person, app: Flask
) -> None:
    with app.app_context():
        authenticated = verify_password(alice.email, alice.password)
        with writing() as connection:
            accounts.remove(connection, authenticated.id)
        with pytest.raises(InvalidCredentials):
            open_for(authenticated)


def test_over_plain_http_in_development_the_cookie_is_not_secure(
    alice: Person, make_app: MakeApp
) -> None:
    safari = Person(make_app(cookie_secure=False), alice.email, alice.password)
    answer = safari.log_in()
    assert answer.headers["Set-Cookie"] == (
        f"refresh_token={safari.refresh_token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=604800"
    )
    assert safari.refresh().status_code == 200
    assert safari.log_out().headers["Set-Cookie"] == (
        "refresh_token=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
    )


def test_the_cookie_can_be_allowed_cross_site(alice: Person, make_app: MakeApp) -> None:
    app = make_app(cookie_samesite="None", refresh_token_ttl=3600)
    answer = Person(app, alice.email, alice.password).log_in()
    assert answer.headers["Set-Cookie"].endswith(
        "; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=3600"
    )


def test_an_access_token_does_not_outlive_its_session(alice: Person, make_app: MakeApp) -> None:
    app = make_app(access_token_ttl=600, refresh_token_ttl=700)
    person = Person(app, alice.email, alice.password)
    with time_machine.travel(NOON, tick=False) as clock:
        person.logged_in()
        ends = claims(person.refresh_token)["exp"]
        clock.shift(timedelta(seconds=650))
        answer = person.refresh()
        assert answer.json["expires_in"] == 50
        assert claims(person.access_token)["exp"] == ends


@pytest.fixture
def unverified(alice: Person, required_app: Flask) -> Person:
    """Alice, whose account is from before addresses had to be verified."""
    return Person(required_app, alice.email, alice.password)


def test_where_addresses_must_be_verified_an_older_account_is_told_so(
    unverified: Person, connection: Connection
) -> None:
    answer = unverified.log_in()
    assert_problem(answer, 403, "email_unverified")
    assert "Set-Cookie" not in answer.headers
    assert sessions(connection) == []
    last = events(connection)[-1]
    assert (last.event, last.detail) == ("login_refused", "email_unverified")
    wrong = Person(unverified.app, unverified.email, "not the password of Alice")
    assert_problem(wrong.log_in(), 401, "invalid_credentials")


def test_a_login_refused_as_unverified_counts_no_failure_and_clears_none(
    unverified: Person,
) -> None:
    wrong = Person(unverified.app, unverified.email, "not the password of Alice")
    for _ in range(9):
        assert_problem(unverified.log_in(), 403, "email_unverified")
        assert_problem(wrong.log_in(), 401, "invalid_credentials")
    assert_problem(wrong.log_in(), 401, "invalid_credentials")
    assert_problem(unverified.log_in(), 429, "rate_limited")


def test_a_login_refused_as_unverified_costs_no_statement_more_than_a_wrong_password(
    unverified: Person,
) -> None:
    wrong = Person(unverified.app, unverified.email, "not the password of Alice")
    with counted_statements(unverified.app) as of_wrong:
        wrong.log_in()
    with counted_statements(unverified.app) as of_unverified:
        unverified.log_in()
    assert sorted(of_unverified) == sorted([*of_wrong, *["UPDATE"] * 3])  # takes the counts back


def test_a_session_from_before_addresses_had_to_be_verified_goes_on(
    alice: Person, unverified: Person
) -> None:
    unverified.refresh_token = alice.logged_in().refresh_token
    assert unverified.refresh().status_code == 200
    assert unverified.call("GET", "/api/me").json["email_verified"] is False


def test_once_the_address_is_verified_the_older_account_logs_in(
    unverified: Person, mailbox: Mailbox
) -> None:
    resend(unverified)
    link = mailbox.token(VERIFY)
    assert verify(unverified, link, unverified.password).status_code == 204
    assert unverified.log_in().status_code == 200
