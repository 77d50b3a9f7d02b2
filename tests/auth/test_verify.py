"""GET /auth/verify: what a proxy is told of a request's access token."""

from datetime import timedelta

import pytest
import time_machine

from authsvc import clock
from tests.support.people import Person
from tests.support.responses import assert_problem, claims


def verify(person: Person, method: str = "GET", **headers: str):
    return person.call(method, "/auth/verify", headers=headers)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_valid_access_token_is_204_and_names_the_person_and_the_session(
    alice: Person, method: str
) -> None:
    said = claims(alice.logged_in().access_token)
    answer = verify(alice, method, Authorization=f"Bearer {alice.access_token}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["X-Auth-Subject"] == said["sub"]
    assert answer.headers["X-Auth-Session"] == said["sid"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_headers_that_came_along_are_not_what_is_answered(alice: Person) -> None:
    said = claims(alice.logged_in().access_token)
    sent = {"X-Auth-Subject": "mallory", "Authorization": f"Bearer {alice.access_token}"}
    answer = verify(alice, **sent)
    assert answer.headers.getlist("X-Auth-Subject") == [said["sub"]]


def test_whatever_else_comes_is_the_problem_of_any_protected_route(alice: Person) -> None:
    alice.logged_in()
    bearer = f"Bearer {alice.access_token}"
    assert_problem(verify(alice), 401, "access_token_missing")
    assert_problem(verify(alice, Authorization="Bearer a.b.c"), 401, "access_token_invalid")
    alice.log_out()
    with time_machine.travel(clock.now() + timedelta(seconds=2), tick=False):
        answer = verify(alice, Authorization=bearer)
    assert_problem(answer, 401, "access_token_revoked")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert "X-Auth-Subject" not in answer.headers
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=False):
        assert_problem(verify(alice, Authorization=bearer), 401, "access_token_expired")
