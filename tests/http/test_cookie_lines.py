"""Issue 14, number 10: several Cookie lines are one list (RFC 6265bis section 4.2; K3)."""

from collections.abc import Callable

import pytest

from tests.http.conftest import Session
from tests.http.raw import Answer, Connection, request
from tests.support.people import Person
from tests.support.responses import assert_problem
from tests.support.running_service import Service

pytestmark = pytest.mark.both_servers
LogIn = Callable[..., Session]
OTHER = ["Cookie: a=1", "Cookie: b=2, and a comma"]


def post(service: Service, path: str, *lines: str) -> Answer:
    with Connection(service.port) as connection:
        return connection.ask(request(f"POST {path}", *lines))


def lines_with(session: Session, place: int) -> list[str]:
    """Return three Cookie lines, of which one in this place has the refresh cookie."""
    return [*OTHER[:place], session.cookie, *OTHER[place:]]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_refresh_with_several_lines_works(service: Service, log_in: LogIn, place: int) -> None:
    answer = post(service, "/auth/refresh", *lines_with(log_in(), place))
    assert answer.status == 200
    assert "access_token" in answer.json


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_logout_with_several_lines_ends_the_session(
    service: Service, log_in: LogIn, place: int
) -> None:
    session = log_in()
    assert post(service, "/auth/logout", *lines_with(session, place)).status == 204
    answer = post(service, "/auth/refresh", session.cookie)
    assert answer.json["code"] == "refresh_token_revoked"


@pytest.mark.parametrize("between", [[], OTHER[:1], OTHER])
def test_the_name_twice_over_several_lines_is_refused(
    service: Service, log_in: LogIn, between: list[str]
) -> None:
    session, other = log_in(), log_in()
    for second in (session.cookie, other.cookie):
        answer = post(service, "/auth/refresh", session.cookie, *between, second)
        assert (answer.status, answer.json["code"]) == (401, "refresh_token_invalid")


def test_a_comma_in_another_cookies_value_is_not_another_line(
    service: Service, log_in: LogIn
) -> None:
    """A sibling site can set such a value; gunicorn would join two lines to the same text."""
    session, planted = log_in(), log_in()
    value = planted.cookie.removeprefix("Cookie: ")
    answer = post(service, "/auth/refresh", f"Cookie: a=1,{value}")
    assert (answer.status, answer.json["code"]) == (401, "refresh_token_missing")
    own = session.cookie.removeprefix("Cookie: ")
    assert post(service, "/auth/refresh", f"Cookie: a=1,{value}; {own}").status == 200


# What a server gives that joins the lines with a comma, as PEP 3333 lets it. `~` is the token.
NAME = "__Host-refresh_token"
JOINED = {
    f"{NAME}=~,a=1": None,
    f"{NAME}=~, a=1; b=2": None,
    f"a=1,b=2; {NAME}=~": None,
    f"a=1,b=2; {NAME}=~,c=3": None,
    f"a=1,{NAME}=~": "refresh_token_missing",
    f"a=1; b=2, {NAME}=~; c=3": "refresh_token_missing",
    f"{NAME}=~,{NAME}=~": "refresh_token_invalid",
    f"{NAME}=~,a=1; {NAME}=~": "refresh_token_invalid",
    f"{NAME}=~,a=1,{NAME}=x": "refresh_token_invalid",
    f"x{NAME}=~,a=1": "refresh_token_missing",
}


@pytest.mark.parametrize("header", JOINED)
def test_lines_joined_with_a_comma_are_read_only_where_no_other_site_can_forge_them(
    alice: Person, header: str
) -> None:
    token = alice.logged_in().refresh_token
    client = alice.app.test_client(use_cookies=False)
    answer = client.post("/auth/refresh", headers={"Cookie": header.replace("~", token)})
    if JOINED[header] is None:
        assert answer.status_code == 200
    else:
        assert_problem(answer, 401, JOINED[header])


@pytest.mark.parametrize("header", [header for header in JOINED if header[0] != "x"])
def test_a_logout_revokes_every_token_that_the_lines_may_have(alice: Person, header: str) -> None:
    token = alice.logged_in().refresh_token
    client = alice.app.test_client(use_cookies=False)
    cookie = {"Cookie": header.replace("~", token)}
    assert client.post("/auth/logout", headers=cookie).status_code == 204
    assert_problem(alice.refresh(), 401, "refresh_token_revoked")
