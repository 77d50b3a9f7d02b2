"""The second factor that a view requires (RFC 9470), in the service and in other apps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.views import MethodView, View
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from authsvc.guard import (
    AccessTokenGuard,
    current_access_token,
    public,
    requires_aal2,
    requires_recent_login,
    requires_role,
)
from authsvc.openapi import answers, takes
from authsvc.testing import access_token
from authsvc.tokens.key_pairs import generate_pem, key_from_pem
from authsvc.web.inputs import Body
from tests.attacks.tokens import Good
from tests.conftest import MakeApp
from tests.guard.issuer import ISSUER, Issuer
from tests.support.api_description import Description
from tests.support.people import Person
from tests.support.reauthentication import again
from tests.support.responses import assert_problem
from tests.support.second_factors import give_totp
from tests.support.signing_secrets import ACCESS_SECRET

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
START = (
    'Bearer realm="authsvc", error="insufficient_user_authentication", '
    'error_description="Authenticate again for this."'
)
AAL2, RECENT = f'{START}, acr_values="aal2"', f'{START}, max_age="600"'
TWO = ["pwd", "otp", "mfa"]


class Sum(Body):
    """Args: amount: how much."""

    amount: int


class Keys(MethodView):
    @requires_aal2
    def delete(self, name: str) -> str:
        return name

    def get(self, name: str) -> str:
        return name


class Vault(View):
    decorators = (requires_aal2,)

    def dispatch_request(self) -> str:
        return "vault"


def add_views(app: Flask) -> None:
    """Add an operator's own views of every kind, which require two factors."""

    @app.get("/payouts")
    @requires_aal2
    def payouts() -> dict[str, list[str]]:
        return {"amr": list(current_access_token().amr)}

    @app.get("/both")
    @requires_aal2
    @requires_recent_login()
    def both() -> str:
        return "both"

    @app.get("/both-reversed")
    @requires_recent_login()
    @requires_aal2
    def both_reversed() -> str:
        return "both"

    app.add_url_rule("/keys/<name>", view_func=Keys.as_view("keys"))
    app.add_url_rule("/vault", view_func=Vault.as_view("vault"))


OPEN = {
    "GET /payouts": 200,
    "GET /both": 200,
    "GET /both-reversed": 200,
    "DELETE /keys/one": 200,
    "GET /vault": 200,
}


@pytest.fixture(scope="module")
def extended(make_app: MakeApp) -> Flask:
    """The service with those views, and some that need its declarations or are confused."""
    app = make_app(access_token_ttl=900)
    add_views(app)

    @app.get("/described")
    @requires_aal2
    @answers(200)
    def described() -> dict[str, str]:
        return {}

    @app.post("/sent")
    @answers(200)
    @requires_aal2
    @takes(Sum)
    def sent(body: Sum) -> dict[str, int]:
        return {"amount": body.amount}

    @app.get("/confused")
    @public
    @requires_aal2
    def confused() -> str:
        return "open by accident"

    @app.get("/confused-too")
    @requires_aal2
    @public
    def confused_too() -> str:
        return "open by accident"

    return app


@pytest.fixture
def carol(app: Flask, extended: Flask) -> Person:
    """Carol, who calls that app; `app` empties the tables after."""
    return Person(extended, "carol@example.com", "a lamp that is not lit").register()


def call(person: Person, route: str, **kwargs: object) -> TestResponse:
    method, path = route.split()
    bearer = {"Authorization": f"Bearer {person.access_token}"}
    return person.call(method, path, headers=bearer, **kwargs)


def assert_challenged(answer: TestResponse, challenge: str = AAL2) -> None:
    assert_problem(answer, 401, "reauthentication_required")
    assert answer.headers.getlist("WWW-Authenticate") == [challenge]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("route", OPEN)
def test_a_session_of_a_password_alone_is_401_with_the_challenge_of_rfc_9470(
    carol: Person, route: str
) -> None:
    assert_challenged(call(carol.logged_in(), route))
    assert call(carol, "GET /keys/one").text == "one"


def test_after_a_reauthentication_by_a_second_factor_the_new_token_opens_the_views(
    carol: Person,
) -> None:
    app = give_totp(carol.logged_in())
    older = carol.access_token
    assert again(carol, code=app.now()).status_code == 200
    for route, status in OPEN.items():
        assert call(carol, route).status_code == status
    assert call(carol, "GET /payouts").json == {"amr": TWO}
    carol.access_token = older
    assert_challenged(call(carol, "GET /payouts"))


def test_both_decorators_ask_for_a_recent_login_and_two_factors(
    carol: Person, connection: Connection
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        carol.logged_in()
        connection.execute(text("UPDATE refresh_tokens SET amr = 'pwd otp mfa'"))
        clock.shift(601)
        carol.refresh()
        assert call(carol, "GET /payouts").status_code == 200
        for path in ("/both", "/both-reversed"):
            assert_challenged(call(carol, f"GET {path}"), RECENT)


def test_a_token_of_an_earlier_version_has_one_factor_until_the_next_refresh(
    carol: Person, connection: Connection
) -> None:
    carol.logged_in()
    connection.execute(text("UPDATE refresh_tokens SET amr = 'pwd otp mfa'"))
    carol.refresh()
    good = Good("access", carol.access_token, carol.refresh_token)
    carol.access_token = good.without_claims("amr", "acr")
    assert_challenged(call(carol, "GET /payouts"))
    assert call(carol, "GET /keys/one").status_code == 200
    carol.refresh()
    assert call(carol, "GET /payouts").status_code == 200


def test_without_a_token_it_is_the_challenge_of_rfc_6750(carol: Person) -> None:
    assert_problem(carol.call("GET", "/payouts"), 401, "access_token_missing")


@pytest.mark.once
def test_a_public_view_that_requires_two_factors_is_never_open(carol: Person) -> None:
    carol.logged_in()
    for path in ("/confused", "/confused-too"):
        assert_problem(call(carol, f"GET {path}"), 500, "internal_error")
        assert_problem(carol.call("GET", path), 500, "internal_error")


@pytest.mark.once
def test_below_answers_and_above_takes_it_works_too(carol: Person) -> None:
    app = give_totp(carol.logged_in())
    assert_challenged(call(carol, "POST /sent", json={"amount": "many"}))
    assert again(carol, code=app.now()).status_code == 200
    assert call(carol, "POST /sent", json={"amount": 1}).json == {"amount": 1}
    assert call(carol, "POST /sent", json={"amount": "many"}).status_code == 422


@pytest.mark.once
def test_the_description_of_the_view_has_the_problem(extended: Flask) -> None:
    description = Description(extended)
    for method, path in (("GET", "/described"), ("POST", "/sent")):
        codes = description.codes(description.operation(method, path))
        assert codes >= {"reauthentication_required", "access_token_missing"}


@pytest.mark.once
def test_the_decorator_takes_a_view_and_nothing_else() -> None:
    with pytest.raises(TypeError):
        requires_aal2()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        requires_aal2(Keys).as_view("keys")  # type: ignore[attr-defined]


@pytest.fixture(params=["secret", "jwks"])
def elsewhere(request: pytest.FixtureRequest) -> Iterator[tuple[Flask, dict[str, str]]]:
    """Another app with only the guard and those views, and what signs tokens for it."""
    app = Flask("elsewhere")
    if request.param == "secret":
        secret = {"secret": ACCESS_SECRET.hex()}
        AccessTokenGuard(app, issuer=ISSUER, **secret)
        add_views(app)
        yield app, secret
    else:
        pem = generate_pem("ES256")
        issuer = Issuer(key_from_pem(pem))
        AccessTokenGuard(app, issuer=ISSUER, jwks_url=issuer.url)
        add_views(app)
        with issuer.answering():
            yield app, {"private_key": pem}


@pytest.mark.once
def test_a_view_in_another_app_requires_two_factors_by_the_token_alone(
    elsewhere: tuple[Flask, dict[str, str]],
) -> None:
    app, key = elsewhere

    def ask(route: str, **claims: object) -> TestResponse:
        method, path = route.split()
        bearer = f"Bearer {access_token(issuer=ISSUER, **key, **claims)}"
        return app.test_client().open(path, method=method, headers={"Authorization": bearer})

    for route in OPEN:
        assert_challenged(ask(route))
        for amr in (TWO, ["hwk", "mfa"], ["swk", "mfa"]):
            assert ask(route, amr=amr).status_code == 200
    then = datetime.now(UTC) - timedelta(seconds=700)
    assert_challenged(ask("GET /both", amr=TWO, auth_time=then), RECENT)
    assert ask("GET /payouts", amr=TWO, auth_time=then).json == {"amr": TWO}


@pytest.mark.once
def test_a_role_and_two_factors_are_asked_for_apart() -> None:
    app, key = Flask("elsewhere"), {"secret": ACCESS_SECRET.hex()}
    AccessTokenGuard(app, issuer=ISSUER, **key)
    app.get("/admin", endpoint="admin")(requires_role("admin")(requires_aal2(lambda: "admin")))

    def ask(**claims: object) -> TestResponse:
        bearer = f"Bearer {access_token(issuer=ISSUER, **key, **claims)}"
        return app.test_client().get("/admin", headers={"Authorization": bearer})

    assert_problem(ask(amr=TWO), 403, "forbidden")
    assert_challenged(ask(roles=["admin"]))
    assert ask(roles=["admin"], amr=TWO).text == "admin"
