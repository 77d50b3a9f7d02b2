"""authsvc.testing: access tokens for tests of an app that the guard protects."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from authsvc.guard import (
    AccessTokenGuard,
    current_access_token,
    requires_aal2,
    requires_recent_login,
    requires_role,
)
from authsvc.testing import access_token
from authsvc.tokens.access import access_keyring
from authsvc.tokens.key_pairs import generate_pem, key_from_pem
from tests.support.signing_secrets import ACCESS_SECRET

ISSUER = "https://auth.example.com"
SECRET = ACCESS_SECRET.hex()
Ask = Callable[..., TestResponse]


def how() -> dict[str, object]:
    token = current_access_token()
    return {"amr": token.amr, "acr": token.acr, "age": token.iat - token.auth_time}


@pytest.fixture
def ask() -> Ask:
    """A function that sends a token to an app elsewhere; keywords are the guard's."""

    def send(token: str, path: str = "/", **options: object) -> TestResponse:
        app = Flask("elsewhere")
        AccessTokenGuard(app, issuer=ISSUER, **(options or {"secret": SECRET}))
        app.get("/")(lambda: {"sub": str(current_access_token().sub)})
        app.get("/admin", endpoint="admin")(requires_role("admin")(lambda: "admin"))
        app.get("/keys", endpoint="keys")(requires_aal2(lambda: "keys"))
        app.get("/payout", endpoint="payout")(requires_recent_login()(lambda: "payout"))
        app.get("/how", endpoint="how")(how)
        return app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})

    return send


def test_a_guard_with_the_secret_accepts_the_token(ask: Ask) -> None:
    sub = uuid4()
    assert ask(access_token(issuer=ISSUER, secret=SECRET, sub=sub)).json == {"sub": str(sub)}


def test_a_guard_with_the_public_key_accepts_the_token(ask: Ask) -> None:
    pem = generate_pem("ES256")
    token = access_token(issuer=ISSUER, private_key=pem)
    assert ask(token, keys=access_keyring(key_from_pem(pem))).status_code == 200


def test_the_token_has_the_roles_and_no_others(ask: Ask) -> None:
    admin = access_token(issuer=ISSUER, secret=SECRET, roles=["admin"])
    assert ask(admin, "/admin").status_code == 200
    assert ask(access_token(issuer=ISSUER, secret=SECRET), "/admin").status_code == 403


def test_the_token_is_for_one_issuer_and_audience(ask: Ask) -> None:
    api = access_token(issuer=ISSUER, audience="api", secret=SECRET)
    assert ask(api).status_code == 401
    assert ask(api, secret=SECRET, audience="api").status_code == 200
    assert ask(access_token(issuer="https://other.example", secret=SECRET)).status_code == 401


def test_a_token_of_an_hour_ago_has_expired(ask: Ask) -> None:
    token = access_token(
        issuer=ISSUER, secret=SECRET, issued_at=datetime.now(UTC) - timedelta(hours=1)
    )
    assert ask(token).json["code"] == "access_token_expired"


def test_the_token_is_by_default_of_a_password_that_was_given_just_now(ask: Ask) -> None:
    token = access_token(issuer=ISSUER, secret=SECRET)
    assert ask(token, "/how").json == {"amr": ["pwd"], "acr": "aal1", "age": 0}
    assert ask(token, "/payout").text == "payout"
    assert ask(token, "/keys").json["code"] == "reauthentication_required"


@pytest.mark.parametrize("amr", [["mfa", "otp", "pwd"], ["hwk", "mfa"], ["swk", "mfa"]])
def test_a_token_of_two_factors_passes_where_they_are_required(ask: Ask, amr: list[str]) -> None:
    token = access_token(issuer=ISSUER, secret=SECRET, amr=amr)
    answer = ask(token, "/how").json
    assert (sorted(answer["amr"]), answer["acr"]) == (sorted(amr), "aal2")
    assert ask(token, "/keys").text == "keys"


def test_a_token_of_an_older_login_is_refused_where_a_recent_one_is_required(ask: Ask) -> None:
    for minutes, status in ((9, 200), (11, 401)):
        then = datetime.now(UTC) - timedelta(minutes=minutes)
        token = access_token(issuer=ISSUER, secret=SECRET, auth_time=then)
        assert ask(token, "/payout").status_code == status
        assert ask(token).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "exactly one of secret and private_key"),
        ({"secret": SECRET, "private_key": "x"}, "exactly one"),
        ({"secret": "abc"}, "The secret "),
        ({"private_key": "abc"}, "The private key "),
        ({"secret": SECRET, "life": 901}, "1 to 900 seconds"),
        ({"secret": SECRET, "life": 0}, "1 to 900 seconds"),
        ({"secret": SECRET, "roles": ["two words"]}, "not names of roles"),
        ({"secret": SECRET, "issued_at": datetime(2026, 11, 24)}, "time zone"),
        ({"secret": SECRET, "auth_time": datetime(2026, 11, 24)}, "time zone"),
        ({"secret": SECRET, "auth_time": datetime(2999, 1, 1, tzinfo=UTC)}, "after issued_at"),
        ({"secret": SECRET, "amr": ["sms"]}, "must be a list of pwd, otp, hwk, swk, mfa"),
        ({"secret": SECRET, "amr": "pwd"}, "must be a list of"),
    ],
)
def test_what_cannot_be_a_token_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        access_token(issuer=ISSUER, **wrong)
