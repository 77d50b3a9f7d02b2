"""Sensitive routes need a recent authentication, with a second factor where there is one (V4)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from pyotp import TOTP
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from authsvc import clock
from authsvc.factors.second_factor import Factors
from authsvc.web import registry
from tests.support.dpop import b64
from tests.support.given_passkeys import give_passkey
from tests.support.passkeys import log_in_by_passkey
from tests.support.people import Person
from tests.support.reauthentication import again, by_password
from tests.support.responses import (
    assert_problem,
    claims,
    events,
    live_sessions,
    sessions,
    users,
)
from tests.support.second_factors import give_totp, id_of
from tests.support.software_authenticator import SoftwareAuthenticator

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
NEW = "a lamp that is not lit"
PASSWORD = "a horse that is correct"
ID = "01900000-0000-7000-8000-000000000009"
ROUTES: dict[str, Any] = {
    "POST /api/me/email": {"email": "alice@new.example"},
    "POST /api/me/totp": {},
    "PUT /api/me/totp": {"code": "00000"},
    "DELETE /api/me/totp": None,
    "POST /api/me/recovery-codes": {},
    "POST /api/me/passkeys/options": {},
    "POST /api/me/passkeys": {"name": "phone"},
    f"DELETE /api/me/passkeys/{ID}": None,
}
CONFIRMED: dict[str, Any] = {
    "PUT /api/me/password": {"current_password": PASSWORD, "new_password": NEW},
    "DELETE /api/me": {"password": PASSWORD},
}
"""The routes that take the password, which is enough if the account has no second factor."""
MAX_AGE, AAL2 = 'max_age="600"', 'acr_values="aal2"'


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def person(alice: Person, mail_app: Flask, time: time_machine.Traveller) -> Person:
    """Alice with a verified address, not logged in, at a service that sends mail."""
    return Person(mail_app, alice.email, alice.password)


@pytest.fixture(autouse=True)
def verified(person: Person, connection: Connection) -> None:
    connection.execute(text("UPDATE users SET email_verified_at = created_at"))


def ask(person: Person, route: str) -> TestResponse:
    """Send the request, which is right in everything but perhaps the session."""
    method, path = route.split()
    body = (ROUTES | CONFIRMED)[route]
    if path == "/api/me/passkeys":
        body = {**body, "credential": new_passkey(person)}
    return person.call(method, path, **({} if body is None else {"json": body}))


def new_passkey(person: Person) -> dict[str, Any]:
    """Return a browser's response to options that the service would give now."""
    with person.app.app_context():
        user_id, challenges = id_of(person), registry.get(Factors).challenges
        challenge = b64(challenges.issue("register", clock.now(), user_id))
    user, rp = {"id": b64(user_id.bytes)}, {"id": "localhost"}
    return SoftwareAuthenticator().create({"challenge": challenge, "user": user, "rp": rp})


def is_refused(answer: TestResponse, *wanted: str) -> bool:
    """Return whether it is the challenge of RFC 9470, which then asks for exactly this."""
    if answer.json is None or answer.json.get("code") != "reauthentication_required":
        assert answer.status_code != 401, answer.json
        return False
    assert_problem(answer, 401, "reauthentication_required")
    [challenge] = answer.headers.getlist("WWW-Authenticate")
    assert challenge.startswith('Bearer realm="authsvc", error="insufficient_user_authentication"')
    assert [one for one in (MAX_AGE, AAL2) if one in challenge] == list(wanted)
    assert "Set-Cookie" not in answer.headers
    return True


def password_only(person: Person) -> None:
    person.logged_in()


def password_only_before_the_factor(person: Person) -> None:
    give_totp(person.logged_in())


def two_factors(person: Person) -> None:
    code = give_totp(person).now()
    answer = person.call("POST", "/auth/login", json={**person.credentials, "code": code})
    assert answer.status_code == 200


def password_only_before_the_passkey(person: Person) -> None:
    give_passkey(person.logged_in())


def by_passkey(person: Person) -> None:
    assert log_in_by_passkey(person, give_passkey(person)).status_code == 200


def factor_added_within_the_session(person: Person) -> None:
    """Set up the authenticator app in the session, which so has shown it."""
    person.logged_in()
    secret = person.call("POST", "/api/me/totp", json={}).json["secret"]
    assert person.call("PUT", "/api/me/totp", json={"code": TOTP(secret).now()}).status_code == 200


Open = Callable[[Person], None]
STATES: dict[str, tuple[Open, int, bool, bool]] = {
    # how it was opened, seconds ago, whether the routes refuse it, and those with the password
    "fresh, without a factor": (password_only, 600, False, False),
    "old, without a factor": (password_only, 601, True, False),
    "fresh, before the factor": (password_only_before_the_factor, 0, True, True),
    "old, before the factor": (password_only_before_the_factor, 601, True, True),
    "fresh, before the passkey": (password_only_before_the_passkey, 0, True, True),
    "fresh, with the factor": (two_factors, 600, False, False),
    "old, with the factor": (two_factors, 601, True, True),
    "fresh, by passkey": (by_passkey, 600, False, False),
    "old, by passkey": (by_passkey, 601, True, True),
    "fresh, the factor added in it": (factor_added_within_the_session, 600, False, False),
    "old, the factor added in it": (factor_added_within_the_session, 601, True, True),
}


@pytest.mark.once
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("route", [*ROUTES, *CONFIRMED])
def test_the_session_decides_whether_a_sensitive_route_is_open(
    person: Person, connection: Connection, time: time_machine.Traveller, route: str, state: str
) -> None:
    opened, seconds, refused, refused_with_password = STATES[state]
    opened(person)
    time.shift(seconds)
    before = rows(connection)
    expected = refused_with_password if route in CONFIRMED else refused
    has_factor = opened is not password_only
    answer = ask(person, route)
    assert is_refused(answer, MAX_AGE, *([AAL2] if has_factor else [])) == expected
    if expected:
        assert rows(connection) == before
        assert person.call("GET", "/api/me").status_code == 200


def test_each_route_that_changes_something_is_sensitive_or_ends_sessions(person: Person) -> None:
    routes = {
        f"{method} {rule.rule.replace('<uuid:passkey_id>', ID)}"
        for rule in person.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS", "GET"}
        if rule.rule.startswith("/api")
    }
    ends_sessions = {"DELETE /api/me/sessions", "DELETE /api/me/sessions/<uuid:sid>"}
    assert routes - ends_sessions == ROUTES.keys() | CONFIRMED.keys()


def rows(connection: Connection) -> list[object]:
    """Return what a sensitive route may write."""
    tables = ("totp", "passkeys", "recovery_codes", "outbox")
    found = [connection.execute(text(f"SELECT count(*) FROM {table}")).all() for table in tables]
    return [users(connection), sessions(connection), events(connection), *found]


@pytest.mark.once
@pytest.mark.parametrize("route", [*ROUTES, *CONFIRMED])
def test_after_a_reauthentication_the_older_access_token_is_enough_too(
    person: Person, time: time_machine.Traveller, route: str
) -> None:
    person.logged_in()
    time.shift(601)
    app, older = give_totp(person), person.access_token
    assert is_refused(ask(person, route), MAX_AGE, AAL2)
    assert again(person, code=app.now()).status_code == 200
    person.access_token = older
    assert not is_refused(ask(person, route))


@pytest.mark.once
@pytest.mark.parametrize("route", ROUTES)
def test_without_a_factor_the_password_reauthenticates(
    person: Person, time: time_machine.Traveller, route: str
) -> None:
    person.logged_in()
    time.shift(601)
    assert is_refused(ask(person, route), MAX_AGE)
    assert by_password(person).status_code == 200
    assert not is_refused(ask(person, route))


@pytest.mark.once
@pytest.mark.parametrize("route", [*ROUTES, *CONFIRMED])
def test_a_refresh_does_not_reauthenticate(
    person: Person, time: time_machine.Traveller, route: str
) -> None:
    two_factors(person)
    time.shift(3600)
    assert person.refresh().status_code == 200
    assert is_refused(ask(person, route), MAX_AGE, AAL2)


@pytest.mark.once
@pytest.mark.parametrize("route", [*ROUTES, *CONFIRMED])
def test_a_session_from_before_the_migration_counts_from_when_it_was_opened(
    person: Person, connection: Connection, time: time_machine.Traveller, route: str
) -> None:
    person.logged_in()
    connection.execute(text("UPDATE refresh_tokens SET authenticated_at = NULL, amr = 'pwd'"))
    time.shift(600)
    assert not is_refused(ask(person.on_same_device(), route))


@pytest.mark.once
@pytest.mark.parametrize("route", ROUTES)
def test_a_session_from_before_the_migration_becomes_old(
    person: Person, connection: Connection, time: time_machine.Traveller, route: str
) -> None:
    person.logged_in()
    connection.execute(text("UPDATE refresh_tokens SET authenticated_at = NULL"))
    time.shift(601)
    assert is_refused(ask(person, route), MAX_AGE)


@pytest.mark.once
@pytest.mark.parametrize("route", [*ROUTES, *CONFIRMED])
def test_a_session_that_was_revoked_a_moment_ago_is_refused(
    person: Person, connection: Connection, route: str
) -> None:
    """The worker does not know it yet: it learns of revocations once a second."""
    person.logged_in().call("GET", "/api/me")
    connection.execute(text("UPDATE refresh_tokens SET revoked_at = issued_at"))
    assert_problem(ask(person, route), 401, "access_token_revoked")


def test_a_password_change_keeps_the_methods_and_sets_auth_time_to_now(
    person: Person, connection: Connection, time: time_machine.Traveller
) -> None:
    two_factors(person)
    time.shift(500)
    assert ask(person, "PUT /api/me/password").status_code == 200
    token = claims(person.access_token)
    assert (token["amr"], token["acr"]) == (["pwd", "otp", "mfa"], "aal2")
    assert token["auth_time"] == token["iat"] == int(NOON.timestamp()) + 500
    _, new = sessions(connection)
    assert (new.amr, new.authenticated_at) == ("pwd otp mfa", NOON + timedelta(seconds=500))
    time.shift(600)
    assert not is_refused(ask(person, "POST /api/me/recovery-codes"))


def test_a_password_change_gives_no_session_a_second_factor(
    person: Person, connection: Connection
) -> None:
    person.logged_in()
    assert ask(person, "PUT /api/me/password").status_code == 200
    assert claims(person.access_token)["acr"] == "aal1"
    assert [row.amr for row in sessions(connection)] == ["pwd", "pwd"]


def test_a_refused_deletion_deletes_nothing_and_a_reauthenticated_one_does(
    person: Person, connection: Connection
) -> None:
    app = give_totp(person.logged_in())
    assert is_refused(ask(person, "DELETE /api/me"), MAX_AGE, AAL2)
    assert live_sessions(connection) == 1
    assert again(person, code=app.now()).status_code == 200
    assert ask(person, "DELETE /api/me").status_code == 204
    assert users(connection) == []


def test_with_a_wrong_password_the_session_is_not_looked_at(
    person: Person, time: time_machine.Traveller
) -> None:
    give_totp(person.logged_in())
    body = {"password": "not the password of Alice"}
    assert_problem(person.call("DELETE", "/api/me", json=body), 403, "wrong_password")


def test_routes_that_only_show_need_no_reauthentication(
    person: Person, time: time_machine.Traveller
) -> None:
    give_totp(person.logged_in())
    time.shift(601)
    for path in ("/api/me", "/api/me/sessions", "/api/me/activity", "/api/me/factors"):
        assert person.call("GET", path).status_code == 200
