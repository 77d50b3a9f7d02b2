"""The login within the last minutes that a view requires."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.views import MethodView
from werkzeug.test import TestResponse

from authsvc.guard import AccessTokenGuard, requires_recent_login, requires_role
from authsvc.openapi import answers
from authsvc.testing import access_token
from tests.conftest import MakeApp
from tests.guard.issuer import ISSUER
from tests.support.api_description import Description
from tests.support.people import Person
from tests.support.responses import assert_problem, claims
from tests.support.signing_secrets import ACCESS_SECRET

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
CHALLENGE = (
    'Bearer realm="authsvc", error="insufficient_user_authentication", '
    'error_description="Authenticate again for this.", max_age="{}"'
)


class Keys(MethodView):
    @requires_recent_login()
    def delete(self) -> str:
        return "deleted"


@pytest.fixture(scope="module")
def extended(make_app: MakeApp) -> Flask:
    """An app with an operator's own views, which require a recent login."""
    app = make_app(access_token_ttl=900)

    @app.get("/payout")
    @requires_recent_login()
    @answers(200)
    def payout() -> dict[str, str]:
        return {"paid": "all"}

    app.add_url_rule("/keys", view_func=Keys.as_view("keys"))
    return app


@pytest.fixture
def carol(app: Flask, extended: Flask) -> Person:
    """Carol, who calls that app; `app` empties the tables after."""
    return Person(extended, "carol@example.com", "a lamp that is not lit").register()


def call(person: Person, path: str, method: str = "GET") -> TestResponse:
    bearer = {"Authorization": f"Bearer {person.access_token}"}
    return person.call(method, path, headers=bearer)


def test_a_login_counts_as_recent_for_ten_minutes(carol: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        carol.logged_in()
        for seconds, status in ((0, 200), (600, 200), (601, 401)):
            clock.move_to(NOON + timedelta(seconds=seconds))
            assert call(carol, "/payout").status_code == status
            assert call(carol, "/keys", "DELETE").status_code == status


def test_an_older_login_is_401_with_the_challenge_of_rfc_9470(carol: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        carol.logged_in()
        clock.shift(601)
        answer = call(carol, "/payout")
        assert_problem(answer, 401, "reauthentication_required")
        assert answer.headers.getlist("WWW-Authenticate") == [CHALLENGE.format(600)]
        assert "Set-Cookie" not in answer.headers
        assert call(carol, "/api/me").status_code == 200
        assert call(carol.logged_in(), "/payout").json == {"paid": "all"}


def test_a_refresh_is_not_a_login(carol: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        login = claims(carol.logged_in().access_token)
        clock.shift(601)
        assert carol.refresh().status_code == 200
        refreshed = claims(carol.access_token)
        assert refreshed["iat"] == login["iat"] + 601
        assert refreshed["auth_time"] == login["auth_time"]
        assert_problem(call(carol, "/payout"), 401, "reauthentication_required")


@pytest.mark.once
def test_without_a_token_it_is_the_challenge_of_rfc_6750(carol: Person) -> None:
    assert_problem(carol.call("GET", "/payout"), 401, "access_token_missing")


@pytest.mark.once
def test_a_view_in_another_app_sets_an_age_of_its_own_and_needs_no_database() -> None:
    app = Flask("elsewhere")
    AccessTokenGuard(app, issuer=ISSUER, secret=ACCESS_SECRET.hex())
    view = requires_role("admin")(requires_recent_login(max_age=60)(lambda: "open"))
    app.get("/safe", endpoint="safe")(view)

    def ask(seconds_ago: int) -> TestResponse:
        at = NOON - timedelta(seconds=seconds_ago)
        secret = ACCESS_SECRET.hex()
        token = access_token(issuer=ISSUER, secret=secret, roles=["admin"], issued_at=at)
        return app.test_client().get("/safe", headers={"Authorization": f"Bearer {token}"})

    with time_machine.travel(NOON, tick=False):
        for recent in (60, 0, -9):  # the clock of the issuer may be ahead
            assert ask(recent).text == "open"
        answer = ask(61)
    assert_problem(answer, 401, "reauthentication_required")
    assert answer.headers.getlist("WWW-Authenticate") == [CHALLENGE.format(60)]


@pytest.mark.once
def test_the_description_of_the_view_has_the_problem(extended: Flask) -> None:
    description = Description(extended)
    codes = description.codes(description.operation("GET", "/payout"))
    assert codes >= {"reauthentication_required", "access_token_missing"}
    assert "reauthentication_required" not in description.codes(
        description.operation("GET", "/api/me")
    )


@pytest.mark.once
@pytest.mark.parametrize("age", [0, -1, True, "600", 600.0, lambda: "the view"])
def test_the_decorator_takes_a_positive_number_of_seconds(age: object) -> None:
    with pytest.raises(ValueError, match="max_age must be a positive number of seconds"):
        requires_recent_login(age)  # type: ignore[arg-type]
