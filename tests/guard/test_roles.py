"""Roles: in the database, in the token, and as a view requires them."""

from typing import Any

import pytest
from flask import Flask
from flask.views import MethodView
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from authsvc.guard import current_access_token, public, requires_role
from tests.attacks.tokens import Good, hash_of
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem, claims

CHALLENGE = (
    'Bearer realm="authsvc", error="insufficient_scope", '
    'error_description="This takes the role admin."'
)


class Reports(MethodView):
    @requires_role("admin")
    def get(self) -> str:
        return "reports"

    def post(self) -> str:
        return "posted"


@pytest.fixture(scope="module")
def extended(make_app: MakeApp) -> Flask:
    """An app with an operator's own views, which require roles."""
    app = make_app()

    @app.get("/admin")
    @requires_role("admin")
    def admin() -> dict[str, Any]:
        return {"roles": current_access_token().roles}

    @app.get("/both/<name>")
    @requires_role("admin")
    @requires_role("editor")
    def both(name: str) -> str:
        return name

    @app.get("/confused")
    @public
    @requires_role("admin")
    def confused() -> str:
        return "open by accident"

    app.add_url_rule("/reports", view_func=Reports.as_view("reports"))
    return app


@pytest.fixture
def carol(app: Flask, extended: Flask) -> Person:
    """Carol, who calls that app; `app` empties the tables after."""
    return Person(extended, "carol@example.com", "a lamp that is not lit").register()


def give(connection: Connection, roles: str) -> None:
    """Set the roles as an operator does by SQL."""
    connection.execute(text("UPDATE users SET roles = :roles"), {"roles": roles})


def get(person: Person, path: str) -> TestResponse:
    bearer = {"Authorization": f"Bearer {person.access_token}"}
    return person.call("GET", path, headers=bearer)


def test_a_person_without_the_role_is_403_with_the_challenge_of_rfc_6750(carol: Person) -> None:
    answer = get(carol.logged_in(), "/admin")
    assert_problem(answer, 403, "forbidden")
    assert answer.headers.getlist("WWW-Authenticate") == [CHALLENGE]
    assert answer.json["detail"] == "This takes the role admin."


def test_a_person_with_the_role_can_call_the_view(carol: Person, connection: Connection) -> None:
    give(connection, "editor admin")
    assert get(carol.logged_in(), "/admin").json == {"roles": ["editor", "admin"]}
    assert claims(carol.access_token)["roles"] == ["editor", "admin"]


def test_without_a_token_it_is_401_and_not_403(carol: Person) -> None:
    assert_problem(get(carol, "/admin"), 401, "access_token_invalid")
    assert_problem(carol.call("GET", "/admin"), 401, "access_token_missing")


def test_a_role_is_its_whole_name(carol: Person, connection: Connection) -> None:
    give(connection, "administrator admi admin:read super-admin")
    assert_problem(get(carol.logged_in(), "/admin"), 403, "forbidden")


def test_two_decorators_ask_for_both(carol: Person, connection: Connection) -> None:
    for roles, status in (("admin", 403), ("editor", 403), ("admin editor", 200)):
        give(connection, roles)
        assert get(carol.logged_in(), "/both/x").status_code == status


def test_a_method_of_a_class_based_view_can_ask_for_a_role(carol: Person) -> None:
    assert_problem(get(carol.logged_in(), "/reports"), 403, "forbidden")
    bearer = {"Authorization": f"Bearer {carol.access_token}"}
    assert carol.call("POST", "/reports", headers=bearer).text == "posted"


def test_a_public_view_that_requires_a_role_is_a_500_for_every_client(
    carol: Person, connection: Connection
) -> None:
    give(connection, "admin")
    assert_problem(get(carol.logged_in(), "/confused"), 500, "internal_error")


@pytest.mark.parametrize("name", ["", "Admin", "admin editor", "-admin", "a" * 65, "admin\n"])
def test_a_view_cannot_require_an_invalid_role_name(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a role: it must match"):
        requires_role(name)


def test_the_decorator_without_its_role_raises_at_once() -> None:
    with pytest.raises(TypeError):
        requires_role(lambda: "open")  # type: ignore[arg-type]


def test_a_token_from_before_the_upgrade_has_no_role_and_stays_valid(
    carol: Person, connection: Connection
) -> None:
    give(connection, "admin")
    carol.logged_in()
    carol.access_token = Good("access", carol.access_token, "").without_claims("roles")
    assert_problem(get(carol, "/admin"), 403, "forbidden")
    assert get(carol, "/api/me").status_code == 200
    assert carol.refresh().status_code == 200
    assert get(carol, "/admin").status_code == 200


def test_a_person_without_roles_has_a_token_without_the_claim(carol: Person) -> None:
    assert "roles" not in claims(carol.logged_in().access_token)


def test_introspection_returns_the_roles(carol: Person, connection: Connection) -> None:
    give(connection, "editor admin")
    carol.logged_in()
    answer = carol.call("POST", "/auth/introspect", json={"access_token": carol.access_token})
    assert answer.json["roles"] == ["editor", "admin"]


def test_a_changed_role_takes_effect_at_the_next_refresh(
    carol: Person, connection: Connection
) -> None:
    carol.logged_in()
    give(connection, "admin")
    assert get(carol, "/admin").status_code == 403
    carol.refresh()
    assert get(carol, "/admin").status_code == 200
    give(connection, "")
    assert get(carol, "/admin").status_code == 200
    carol.refresh()
    assert get(carol, "/admin").status_code == 403


def test_roles_in_a_refresh_token_are_ignored(carol: Person, connection: Connection) -> None:
    give(connection, "editor")
    carol.logged_in()
    assert "roles" not in claims(carol.refresh_token)
    good = Good("refresh", carol.refresh_token, carol.access_token)
    carol.refresh_token = good.with_claims(roles=["admin"])
    planted = {"hash": hash_of(carol.refresh_token)}
    connection.execute(text("UPDATE refresh_tokens SET token_hash = :hash"), planted)
    assert carol.refresh().status_code == 200
    assert claims(carol.access_token)["roles"] == ["editor"]


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("admin", ["admin"]),
        (" admin  editor ", ["admin", "editor"]),
        ("admin admin", ["admin"]),
        ("Admin editor", ["editor"]),
        ("admin, editor", ["editor"]),
        ("admin\teditor", []),
        ("admin\n", []),
        ('["admin"]', []),
        ("\u0430dmin", []),
        ("a" * 64 + " " + "b" * 65, ["a" * 64]),
        ("0 a:b c.d e_f g-h", ["0", "a:b", "c.d", "e_f", "g-h"]),
        (" ".join(f"role-{n}" for n in range(40)), [f"role-{n}" for n in range(16)]),
    ],
)
def test_a_malformed_roles_column_locks_no_account_out(
    carol: Person, connection: Connection, written: str, read: list[str]
) -> None:
    give(connection, written)
    carol.logged_in()
    assert claims(carol.access_token).get("roles", []) == read
    assert get(carol, "/api/me").json["roles"] == read
    assert carol.refresh().status_code == 200


def test_sixteen_roles_of_the_longest_names_fit_into_a_token(
    alice: Person, make_app: MakeApp, connection: Connection
) -> None:
    longest = [f"{n:02}" + "x" * 62 for n in range(16)]
    give(connection, " ".join(longest))
    app = make_app(issuer=f"https://{'a' * 253}")
    person = Person(app, alice.email, alice.password).logged_in()
    assert get(person, "/api/me").json["roles"] == longest
