"""`access_claims`: an operator's own claims, in each access token that is issued."""

import logging
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, select

from authsvc.database import db
from authsvc.guard.access_token import current_access_token
from authsvc.problems import Forbidden
from authsvc.roles import MAX_ROLES
from authsvc.signals import logged_in
from authsvc.tokens.claims import NAMES
from authsvc.users.model import User
from tests.conftest import MakeApp
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, events, sessions, users

NEW = "a lamp that is not lit"
TENANT = {"tenant": "acme", "plan": {"seats": [3, None, True, 0.5]}, "https://acme.example/é": "ü"}
LONGEST = "y" * (1024 - len('{"y":""}'))


def change_password(person: Person) -> Any:
    body = {"current_password": person.password, "new_password": NEW}
    return person.call("PUT", "/api/me/password", json=body)


def added(person: Person) -> dict[str, Any]:
    return {name: value for name, value in claims(person.access_token).items() if name in TENANT}


def test_the_claims_are_in_the_token_of_each_login_refresh_and_change_of_the_password(
    make_app: MakeApp, alice: Person, connection: Connection
) -> None:
    asked = []

    def access_claims(user_id: UUID) -> dict[str, Any]:
        asked.append(user_id)
        return {**TENANT, "plan": len(asked)}

    alice.app = make_app(access_claims)
    seen = []
    for request in (alice.log_in, alice.refresh, lambda: change_password(alice)):
        assert request().status_code == 200
        seen.append(added(alice))
    assert seen == [{**TENANT, "plan": number} for number in (1, 2, 3)]
    assert asked == [users(connection)[0].id] * 3
    assert alice.call("GET", "/api/me").status_code == 200


def test_a_view_reads_the_claims_and_cannot_change_those_of_another_request(
    make_app: MakeApp, alice: Person
) -> None:
    alice.app = app = make_app(lambda user_id: TENANT)

    @app.get("/api/plan")
    def plan() -> dict[str, Any]:
        found = current_access_token().extra
        current_access_token().extra["plan"]["seats"].append("mine")
        found["tenant"] = "other"
        return current_access_token().extra

    alice.logged_in()
    assert [alice.call("GET", "/api/plan").json for _ in range(2)] == [TENANT] * 2
    alice.app = make_app()
    alice.app.add_url_rule("/api/plan", view_func=lambda: current_access_token().extra)
    alice.refresh()
    assert alice.call("GET", "/api/plan").json == {}


def test_introspection_shows_the_claims(make_app: MakeApp, alice: Person) -> None:
    alice.app = make_app(lambda user_id: TENANT)
    token = alice.logged_in().access_token
    body = alice.call("POST", "/auth/introspect", json={"access_token": token}).json
    assert body == {"active": True, "token_type": "Bearer", **claims(token)}
    assert body["plan"] == TENANT["plan"]


def nested(levels: int) -> list[Any]:
    return [nested(levels - 1)] if levels else []


BAD = {
    "None": (None, "a value of type NoneType instead of a dict"),
    "a list": ([("tenant", "acme")], "a value of type list instead of a dict"),
    "a name that is not text": ({7: "acme"}, "a value of type int as the name of a claim"),
    "a set": ({"groups": {"staff"}}, "'groups' with a value that JSON does not have"),
    "a tuple": ({"groups": ("staff",)}, "'groups' with a value that JSON does not have"),
    "an id": ({"tenant": UUID(int=7)}, "'tenant' with a value that JSON does not have"),
    "NaN": ({"ratio": float("nan")}, "'ratio' with a value that JSON does not have"),
    "a number as a name": ({"plan": {7: "x"}}, "'plan' with a value that JSON does not have"),
    "half a character": ({"name": "\ud800"}, "'name' with a value that JSON does not have"),
    "deep nesting": ({"tree": nested(65)}, "'tree' with a value that JSON does not have"),
    "endless nesting": ({"tree": nested(500)}, "'tree' with a value that JSON does not have"),
    "too much": ({"a": 1, "y": LONGEST[5:]}, "1025 bytes as JSON, which is more than 1024"),
    **{
        f"our own {name}": ({name: "x"}, f"{name!r}, which the service keeps")
        for name in sorted(NAMES)
    },
}


@pytest.mark.once
@pytest.mark.parametrize("bad", BAD)
def test_a_result_that_cannot_be_claims_opens_no_session_and_the_log_says_why(
    make_app: MakeApp,
    alice: Person,
    connection: Connection,
    caplog: pytest.LogCaptureFixture,
    bad: str,
) -> None:
    result, why = BAD[bad]
    alice.app = make_app(lambda user_id: result)
    with caplog.at_level(logging.ERROR):
        answer = alice.log_in()
    assert_problem(answer, 500, "internal_error")
    assert "Set-Cookie" not in answer.headers
    assert sessions(connection) == []
    (line,) = caplog.records
    assert line.exc_info is not None
    assert why in str(line.exc_info[1])
    assert "acme" not in str(line.exc_info[1])


def test_the_longest_claims_are_named_in_the_log(
    make_app: MakeApp, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    alice.app = make_app(lambda user_id: {"a": 1, "much": "x" * 1024, "b": "y" * 90})
    alice.log_in()
    assert "the longest claim is 'much'" in caplog.text


def fails(error: type[Exception]) -> Any:
    def access_claims(user_id: UUID) -> dict[str, Any]:
        raise error("acme")

    return access_claims


@pytest.mark.parametrize("error", [KeyError, Forbidden])
def test_a_function_that_raises_changes_nothing_and_is_logged_with_its_traceback(
    make_app: MakeApp,
    app: Flask,
    alice: Person,
    connection: Connection,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
) -> None:
    live = alice.on_another_device().logged_in()
    alice.app = live.app = make_app(fails(error))
    before = sessions(connection), users(connection), events(connection)
    with caplog.at_level(logging.ERROR):
        for answer in (alice.log_in(), live.refresh(), change_password(live)):
            assert_problem(answer, 500, "internal_error")
            assert "Set-Cookie" not in answer.headers
    assert (sessions(connection), users(connection), events(connection)) == before
    live.app = app
    assert live.refresh().status_code == 200
    assert caplog.text.count(f"AccessClaimsFailed: access_claims raised {error.__name__}") == 3
    assert caplog.text.count("in access_claims") == 3


def test_a_database_that_does_not_answer_the_function_is_a_503(
    make_app: MakeApp, alice: Person, connection: Connection
) -> None:
    def access_claims(user_id: UUID) -> dict[str, Any]:
        with db.engine.connect() as first, db.engine.connect(), db.engine.connect():
            return access_claims(user_id) if first else {}  # until no connection is left

    alice.app = make_app(access_claims)
    answer = alice.log_in()
    assert_problem(answer, 503, "service_unavailable")
    assert "Retry-After" in answer.headers
    assert sessions(connection) == []


def test_a_session_that_the_function_leaves_open_is_closed(
    make_app: MakeApp, alice: Person
) -> None:
    def access_claims(user_id: UUID) -> dict[str, Any]:
        return {"address": db.session.execute(select(User.email)).scalar_one()}

    alice.app = app = make_app(access_claims)
    app.teardown_appcontext(lambda error: db.session.remove())
    in_use = []

    def count_connections(sender: Flask, **facts: Any) -> None:
        in_use.append(db.engine.pool.checkedout())

    with logged_in.connected_to(count_connections, app):
        assert alice.log_in().status_code == 200
    assert claims(alice.access_token)["address"] == alice.email
    assert in_use == [0]


def test_the_longest_claims_with_all_roles_still_fit_into_a_token(
    make_app: MakeApp, alice: Person, operator: Operator
) -> None:
    roles = [f"{number:064}" for number in range(MAX_ROLES)]
    assert operator.run("users", "grant", alice.email, *roles).exit_code == 0
    alice.app = make_app(lambda user_id: {"y": LONGEST})
    assert alice.log_in().status_code == 200
    assert len(alice.access_token) <= 4096
    assert alice.call("GET", "/api/me").status_code == 200


def test_a_token_too_long_to_be_accepted_is_not_issued(
    make_app: MakeApp,
    alice: Person,
    operator: Operator,
    connection: Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    roles = [f"{number:064}" for number in range(MAX_ROLES)]
    assert operator.run("users", "grant", alice.email, *roles).exit_code == 0
    far = f"https://auth.example.com/{'x' * 600}"
    alice.app = make_app(lambda user_id: {"y": LONGEST}, issuer=far)
    assert_problem(alice.log_in(), 500, "internal_error")
    assert sessions(connection) == []
    assert "fewer or shorter claims, roles or audiences" in caplog.text


def test_without_such_a_function_or_result_there_are_only_the_services_claims(
    make_app: MakeApp, app: Flask, alice: Person
) -> None:
    for alice.app in (app, make_app(lambda user_id: {})):
        alice.logged_in()
        assert set(claims(alice.access_token)) <= NAMES
        assert alice.call("GET", "/api/me").status_code == 200
