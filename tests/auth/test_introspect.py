"""POST /auth/introspect (RFC 7662)."""

from typing import Any
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from authsvc import clock
from authsvc.database import writing
from authsvc.users.model import User
from tests.attacks.attack import Attack
from tests.attacks.groups import CORPUS
from tests.attacks.tokens import Good
from tests.conftest import MakeApp
from tests.support.key_pair_settings import signed_by
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, pointers

INACTIVE = {"active": False}


def introspect(app: Flask, token: object, **headers: str) -> Any:
    answer = app.test_client().post(
        "/auth/introspect", json={"access_token": token}, headers=headers
    )
    assert answer.status_code == 200, answer.json
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA", "ES256"])
def test_a_valid_access_token_is_active_with_all_its_claims(
    make_app: MakeApp, alice: Person, algorithm: str
) -> None:
    alice.app = make_app(**({} if algorithm == "HS256" else signed_by(algorithm)))
    token = alice.logged_in().access_token
    body = introspect(alice.app, token)
    assert body == {"active": True, "token_type": "Bearer", **claims(token)}
    assert body.keys() >= {
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "jti",
        "sid",
        "auth_time",
        "client_id",
    }


def test_a_token_from_before_the_client_id_is_active_without_it(alice: Person) -> None:
    token = alice.logged_in().access_token
    old = Good("access", token, alice.refresh_token).without_claims("client_id")
    body = introspect(alice.app, old)
    assert body == {"active": True, "token_type": "Bearer", **claims(old)}
    assert "client_id" not in body
    assert alice.call("GET", "/api/me", headers=bearer(old)).status_code == 200


@pytest.mark.once
def test_the_client_id_is_that_of_the_setting(make_app: MakeApp, alice: Person) -> None:
    assert introspect(alice.app, alice.logged_in().access_token)["client_id"] == "web"
    alice.app = make_app(client_id="notes app")
    token = alice.logged_in().access_token
    assert introspect(alice.app, token)["client_id"] == claims(token)["client_id"] == "notes app"
    assert alice.refresh().status_code == 200
    assert claims(alice.access_token)["client_id"] == "notes app"
    assert "client_id" not in claims(alice.refresh_token)


@pytest.mark.once
def test_the_service_issues_and_accepts_tokens_for_several_audiences(
    make_app: MakeApp, alice: Person
) -> None:
    before = alice.on_another_device().logged_in().access_token
    alice.app = app = make_app(audience="https://notes.example, authsvc")
    token = alice.logged_in().access_token
    assert claims(token)["aud"] == ["https://notes.example", "authsvc"]
    for accepted in (token, before):  # one of its audiences was the only one before
        assert alice.call("GET", "/api/me", headers=bearer(accepted)).status_code == 200
    assert introspect(app, token)["aud"] == ["https://notes.example", "authsvc"]
    assert introspect(app, before)["aud"] == "authsvc"
    assert alice.refresh().status_code == 200
    alice.app = make_app(audience="https://else.example")
    answer = alice.call("GET", "/api/me", headers=bearer(token))
    assert_problem(answer, 401, "access_token_invalid")


def test_an_authorization_header_is_ignored(alice: Person) -> None:
    token = alice.logged_in().access_token
    assert introspect(alice.app, token, Authorization="Bearer x")["active"] is True
    assert introspect(alice.app, "x", Authorization=f"Bearer {token}") == INACTIVE


def test_a_revoked_session_is_inactive_at_once(alice: Person) -> None:
    with time_machine.travel(clock.now(), tick=False):  # no worker has queried the revocation yet
        token = alice.logged_in().access_token
        assert alice.call("GET", "/api/me").status_code == 200
        alice.log_out()
        assert alice.call("GET", "/api/me").status_code == 200
        assert introspect(alice.app, token) == INACTIVE


def test_other_sessions_stay_active(alice: Person) -> None:
    token = alice.logged_in().access_token
    alice.on_another_device().logged_in().log_out()
    assert introspect(alice.app, token)["active"] is True


def test_a_disabled_user_is_inactive_at_once(alice: Person) -> None:
    token = alice.logged_in().access_token
    with alice.app.app_context(), writing() as connection:
        connection.execute(update(User).values(disabled_at=clock.now()))
    assert introspect(alice.app, token) == INACTIVE


def test_a_deleted_account_is_inactive_at_once(alice: Person) -> None:
    token = alice.logged_in().access_token
    answer = alice.call("DELETE", "/api/me", json={"password": alice.password})
    assert answer.status_code == 204
    assert introspect(alice.app, token) == INACTIVE


def test_a_token_is_inactive_from_the_second_it_expires(alice: Person) -> None:
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False) as time:
        token = alice.logged_in().access_token
        time.shift(599)
        assert introspect(alice.app, token)["active"] is True
        time.shift(1)
        assert introspect(alice.app, token) == INACTIVE
        time.shift(3600)
        assert introspect(alice.app, token) == INACTIVE


def test_a_signed_token_without_a_session_is_inactive(alice: Person, bob: Person) -> None:
    good = Good("access", alice.logged_in().access_token, alice.refresh_token)
    sub = claims(bob.logged_in().access_token)["sub"]
    for forged in (good.with_claims(sid=str(uuid4())), good.with_claims(sub=sub)):
        assert introspect(alice.app, forged) == INACTIVE


def test_no_mutated_token_is_active(alice: Person) -> None:
    good = Good("access", alice.logged_in().access_token, alice.refresh_token)
    attacks = [attack for attack in CORPUS if isinstance(attack, Attack) and "access" in attack.on]
    for attack in attacks[::4]:
        text = attack.forge(good).encode("utf-8", "replace").decode()
        answer = alice.call("POST", "/auth/introspect", json={"access_token": text})
        assert answer.json == INACTIVE or answer.status_code == 413, attack.name
    assert introspect(alice.app, good.text)["active"] is True


@pytest.mark.parametrize("token", ["", " ", "a.b.c", "é", "\0", "x" * 10_000, "{}"])
def test_garbage_is_inactive(app: Flask, token: str) -> None:
    assert introspect(app, token) == INACTIVE


def test_a_refresh_token_is_inactive(alice: Person) -> None:
    assert introspect(alice.app, alice.logged_in().refresh_token) == INACTIVE


@pytest.mark.parametrize(
    "body", [{}, {"access_token": None}, {"access_token": ["x"]}, {"token": "x"}]
)
def test_a_body_without_a_token_is_422(app: Flask, body: object) -> None:
    answer = app.test_client().post("/auth/introspect", json=body)
    assert pointers(answer) == ["/access_token"]


FORM = "application/x-www-form-urlencoded"


def send_form(app: Flask, body: str | bytes, media: str = FORM, **headers: str) -> TestResponse:
    sent = {
        "Content-Type": media,
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    return app.test_client().post("/auth/introspect", data=body, headers=sent)


@pytest.mark.parametrize(
    "more",
    [
        "",
        "&token_type_hint=access_token",
        "&token_type_hint=refresh_token",
        "&token_type_hint=",
        "&client_id=notes&client_secret=x",
        "&access_token=of-the-caller",
        "&unknown=%C3%BC",
        "&resource=a&resource=b",
        "&&",
    ],
)
def test_a_form_as_rfc_7662_describes_it_is_taken(alice: Person, more: str) -> None:
    token = alice.logged_in().access_token
    answer = send_form(alice.app, f"token={token}{more}")
    assert answer.json == {"active": True, "token_type": "Bearer", **claims(token)}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "application/json"
    assert send_form(alice.app, f"token={alice.refresh_token}{more}").json == INACTIVE
    alice.log_out()
    assert send_form(alice.app, f"token={token}{more}").json == INACTIVE


@pytest.mark.once
@pytest.mark.parametrize(
    "media", [f"{FORM}; charset=UTF-8", FORM.upper(), f'{FORM};charset="utf-8"']
)
def test_every_spelling_of_a_form_in_utf_8_is_taken(alice: Person, media: str) -> None:
    body = f"token={alice.logged_in().access_token}"
    assert send_form(alice.app, body, media).json["active"] is True


@pytest.mark.once
@pytest.mark.parametrize("token", ["a.b.c", "%00", "%C3%BC", "%20", "%zz", "+", "a;b", "[]"])
def test_garbage_in_a_form_is_inactive(app: Flask, token: str) -> None:
    assert send_form(app, f"token={token}").json == INACTIVE


@pytest.mark.once
@pytest.mark.parametrize(
    "body", ["", "token", "token=", "access_token=x", "Token=x", "x=token", "{}"]
)
def test_a_form_without_a_token_is_422(app: Flask, body: str) -> None:
    answer = send_form(app, body)
    assert_problem(answer, 422, "validation_failed")
    assert pointers(answer) == ["/token"]


@pytest.mark.once
def test_a_form_that_cannot_be_read_in_one_way_is_refused(alice: Person) -> None:
    app, token = alice.app, alice.logged_in().access_token
    for body in (
        f"token={token}&token={token}",
        f"token=x&token={token}",
        f"token={token}&%74oken=x",
        f"token={token}&token_type_hint=a&token_type_hint=b",
        "token=%FF",
        b"token=\xff",
        "token=%ED%A0%80",  # a lone surrogate
    ):
        answer = send_form(app, body)
        assert_problem(answer, 400, "invalid_request")
        assert token not in answer.text
    good = f"token={token}"
    assert_problem(send_form(app, good + "x" * 17_000), 413, "request_too_large")
    for media, encoding in (
        (f"{FORM}; charset=iso-8859-1", "identity"),
        (f"{FORM}; charset=utf-16", "identity"),
        (FORM, "gzip"),
        ("multipart/form-data; boundary=x", "identity"),
        ("text/plain", "identity"),
        (f"{FORM}, application/json", "identity"),
        ("application/x-www-form-urlencodedx", "identity"),
    ):
        answer = send_form(app, good, media, Content_Encoding=encoding)
        assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.once
def test_the_page_of_another_origin_cannot_introspect_by_a_form(alice: Person) -> None:
    body = f"token={alice.logged_in().access_token}"
    answer = send_form(alice.app, body, Sec_Fetch_Site="cross-site")
    assert_problem(answer, 403, "cross_origin_refused")
    answer = send_form(alice.app, body, Origin="https://attacker.example")
    assert_problem(answer, 403, "cross_origin_refused")


@pytest.mark.once
@pytest.mark.parametrize("path", ["/auth/login", "/auth/register"])
def test_no_other_route_takes_a_form(alice: Person, path: str) -> None:
    answer = alice.call("POST", path, data=alice.credentials)
    assert_problem(answer, 415, "unsupported_media_type")


def test_other_bodies_are_refused_as_on_every_route(app: Flask) -> None:
    client = app.test_client()
    route = "/auth/introspect"
    assert_problem(client.post(route, data="token=x"), 415, "unsupported_media_type")
    assert_problem(client.post(route, json=[]), 400, "invalid_request")
    large = client.post(route, json={"access_token": "x" * 20_000})
    assert_problem(large, 413, "request_too_large")
    assert_problem(client.get(route), 405, "method_not_allowed")
