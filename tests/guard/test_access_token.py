"""How an access token may be sent, and the responses when it is refused."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
CHALLENGE = 'Bearer realm="authsvc"'
INVALID = f'{CHALLENGE}, error="invalid_token", error_description="The access token is not valid."'


@pytest.fixture
def token(alice: Person) -> str:
    """Alice's access token, which her later requests do not include."""
    token = alice.logged_in().access_token
    alice.access_token = ""
    return token


def me(person: Person, *authorization: str, **kwargs: object):
    headers = {"Authorization": authorization[0]} if authorization else {}
    return person.call("GET", "/api/me", headers=headers, **kwargs)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_a_token_in_the_header_is_taken_whatever_the_case_of_the_scheme(
    alice: Person, token: str, scheme: str
) -> None:
    assert me(alice, f"{scheme} {token}").status_code == 200


def test_a_token_in_a_json_body_is_taken_in_a_get_too(alice: Person, token: str) -> None:
    assert me(alice, json={"access_token": token}).status_code == 200
    new = {"current_password": alice.password, "new_password": "a lamp that is not lit"}
    body = {"access_token": token, **new}
    assert alice.call("PUT", "/api/me/password", json=body).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_no_token_is_read_from_a_body_that_is_not_declared_json(
    alice: Person, token: str, kind: str | None
) -> None:
    body = f'{{"access_token": "{token}"}}'
    answer = me(alice, data=body, content_type=kind)
    assert_problem(answer, 401, "access_token_missing")


@pytest.mark.parametrize("header", ["Bearer {}", "Bearer garbage", "Basic YTpi", "Bearer", ""])
def test_a_token_in_the_body_beside_a_header_is_400(alice: Person, token: str, header: str) -> None:
    answer = me(alice, header.format(token), json={"access_token": token})
    assert_problem(answer, 400, "invalid_request")


def test_a_token_that_lives_longer_than_is_set_now_is_refused(
    alice: Person, make_app: MakeApp
) -> None:
    stricter = alice.logged_in().on_same_device()
    stricter.app = make_app(access_token_ttl=599)
    assert_problem(stricter.call("GET", "/api/me"), 401, "access_token_invalid")
    assert stricter.refresh().status_code == stricter.call("GET", "/api/me").status_code == 200


def test_two_headers_are_400(alice: Person, token: str) -> None:
    client = alice.app.test_client()
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert_problem(client.get("/api/me", headers=twice), 400, "invalid_request")
    joined = f"Bearer {token},Bearer {token}"
    assert_problem(me(alice, joined), 400, "invalid_request")


@pytest.mark.parametrize("name", ["access_token", "Authorization", "token"])
def test_a_token_in_the_query_string_or_a_cookie_is_ignored(
    alice: Person, token: str, name: str
) -> None:
    answers = [
        alice.call("GET", f"/api/me?{name}={token}"),
        alice.call("GET", "/api/me", headers={"Cookie": f"{name}={token}"}),
        alice.call("GET", "/api/me", headers={"Cookie": f"__Host-refresh_token={token}"}),
    ]
    for answer in answers:
        assert_problem(answer, 401, "access_token_missing")


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Digest a", "{}", "Bearer{}"])
def test_without_a_bearer_token_the_challenge_names_no_error(
    alice: Person, token: str, header: str | None
) -> None:
    answer = me(alice) if header is None else me(alice, header.format(token))
    assert_problem(answer, 401, "access_token_missing")
    assert answer.headers.getlist("WWW-Authenticate") == [CHALLENGE]


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer a.b.c", "Bearer  {}", "Bearer {}x", 'Bearer "{}"']
)
def test_a_token_that_is_not_ours_is_invalid(alice: Person, token: str, header: str) -> None:
    answer = me(alice, header.format(token))
    assert_problem(answer, 401, "access_token_invalid")
    assert answer.headers.getlist("WWW-Authenticate") == [INVALID]


@pytest.mark.parametrize("member", [1, 1.5, True, False, [], ["{}"], {"a": 1}, "", "a.b.c"])
def test_a_member_that_is_not_a_token_is_invalid(alice: Person, member: object) -> None:
    answer = me(alice, json={"access_token": member})
    assert_problem(answer, 401, "access_token_invalid")


@pytest.mark.parametrize("body", [{"access_token": None}, {}, [], ["access_token"], "text"])
def test_a_body_without_the_member_is_a_missing_token(alice: Person, body: object) -> None:
    assert_problem(me(alice, json=body), 401, "access_token_missing")


@pytest.mark.parametrize("body", [b"{", b'{"access_token": "a", "access_token": "b"}', b"\xff"])
def test_a_body_that_is_not_json_is_400(alice: Person, token: str, body: bytes) -> None:
    answer = me(alice, f"Bearer {token}", data=body, content_type="application/json")
    assert_problem(answer, 400, "invalid_request")


def test_an_empty_body_declared_as_json_is_ignored(alice: Person, token: str) -> None:
    assert me(alice, f"Bearer {token}", content_type="application/json").status_code == 200


def test_a_refresh_token_as_an_access_token_is_refused(alice: Person, token: str) -> None:
    answer = me(alice, f"Bearer {alice.refresh_token}")
    assert_problem(answer, 401, "access_token_invalid")


def test_an_access_token_expires_after_ten_minutes_and_ten_seconds_of_leeway(
    alice: Person,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice.logged_in()
        clock.shift(timedelta(seconds=609))
        assert alice.call("GET", "/api/me").status_code == 200
        clock.shift(timedelta(seconds=1))
        answer = alice.call("GET", "/api/me")
    assert_problem(answer, 401, "access_token_expired")
    assert answer.headers.getlist("WWW-Authenticate") == [
        f'{CHALLENGE}, error="invalid_token", '
        'error_description="The access token has expired: refresh to get another."'
    ]
