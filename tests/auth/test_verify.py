"""GET /auth/verify."""

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
    expected = claims(alice.logged_in().access_token)
    answer = verify(alice, method, Authorization=f"Bearer {alice.access_token}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["X-Auth-Subject"] == expected["sub"]
    assert answer.headers["X-Auth-Session"] == expected["sid"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_identity_headers_of_the_request_are_not_returned(alice: Person) -> None:
    expected = claims(alice.logged_in().access_token)
    sent = {"X-Auth-Subject": "mallory", "Authorization": f"Bearer {alice.access_token}"}
    answer = verify(alice, **sent)
    assert answer.headers.getlist("X-Auth-Subject") == [expected["sub"]]


def test_other_tokens_get_the_problems_of_a_protected_route(alice: Person) -> None:
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
