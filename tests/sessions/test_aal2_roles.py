"""AUTHSVC_AAL2_ROLES: roles that only sessions of two factors have in their tokens."""

from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from pyotp import TOTP
from sqlalchemy import Connection, text

from authsvc.guard import requires_role
from tests.conftest import MakeApp
from tests.support.given_passkeys import give_passkey
from tests.support.passkeys import log_in_by_passkey
from tests.support.people import Person
from tests.support.reauthentication import again, by_password
from tests.support.responses import assert_problem, claims
from tests.support.second_factors import give_totp

NEW = "a lamp that is not lit"


@pytest.fixture(scope="module")
def careful(make_app: MakeApp) -> Flask:
    """A service whose administrators and owners need two factors, and whose editors do not."""
    app = make_app(aal2_roles="admin,owner")
    app.get("/admin", endpoint="admin")(requires_role("admin")(lambda: "admin"))
    return app


@pytest.fixture
def root(alice: Person, careful: Flask, connection: Connection) -> Person:
    """Alice, who is an administrator and an editor."""
    connection.execute(text("UPDATE users SET roles = 'admin editor'"))
    alice.app = careful
    return alice


def roles(person: Person) -> object:
    """Return the roles in the person's access token, as the service's routes see them too."""
    token = person.access_token
    found = claims(token).get("roles", [])
    bearer = {"Authorization": f"Bearer {token}"}
    verified = person.call("GET", "/auth/verify", headers=bearer)
    assert verified.headers["X-Auth-Roles"] == " ".join(found)
    answer = person.call("POST", "/auth/introspect", json={"access_token": token})
    assert answer.json.get("roles", []) == found
    assert person.call("GET", "/admin", headers=bearer).status_code == (
        200 if "admin" in found else 403
    )
    return found


def log_in(person: Person, app: TOTP) -> None:
    body = {**person.credentials, "code": app.now()}
    assert person.call("POST", "/auth/login", json=body).status_code == 200


def change_password(person: Person) -> None:
    body = {"current_password": person.password, "new_password": NEW}
    assert person.call("PUT", "/api/me/password", json=body).status_code == 200


def test_a_session_of_a_password_alone_is_without_the_role_and_keeps_the_others(
    root: Person,
) -> None:
    assert roles(root.logged_in()) == ["editor"]
    assert root.refresh().status_code == 200
    assert roles(root) == ["editor"]
    assert by_password(root).status_code == 200
    assert roles(root) == ["editor"]
    change_password(root)
    assert roles(root) == ["editor"]


def test_a_session_of_two_factors_has_the_role_to_its_end(root: Person) -> None:
    app = give_totp(root)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        log_in(root, app)
        assert roles(root) == ["admin", "editor"]
        clock.shift(3600)
        assert root.refresh().status_code == 200
        assert roles(root) == ["admin", "editor"]
        assert again(root, code=app.now()).status_code == 200
        assert roles(root) == ["admin", "editor"]
        change_password(root)
        assert roles(root) == ["admin", "editor"]


def test_a_reauthentication_by_a_second_factor_gives_the_role(root: Person) -> None:
    app = give_totp(root.logged_in())
    assert roles(root) == ["editor"]
    older = root.access_token
    assert again(root, code=app.now()).status_code == 200
    assert roles(root) == ["admin", "editor"]
    root.access_token = older
    assert roles(root) == ["editor"]


def test_a_passkey_gives_the_role(root: Person) -> None:
    authenticator = give_passkey(root)
    assert log_in_by_passkey(root, authenticator).status_code == 200
    assert roles(root) == ["admin", "editor"]


def test_the_role_stays_with_the_account(root: Person) -> None:
    answer = root.logged_in().call("GET", "/api/me")
    assert answer.json["roles"] == ["admin", "editor"]


def test_without_another_role_the_token_has_no_such_claim(
    root: Person, connection: Connection
) -> None:
    connection.execute(text("UPDATE users SET roles = 'owner admin'"))
    assert "roles" not in claims(root.logged_in().access_token)
    assert roles(root) == []
    assert_problem(root.call("GET", "/admin", headers=bearer(root)), 403, "forbidden")


def test_a_role_whose_name_only_begins_like_one_of_them_stays(
    root: Person, connection: Connection
) -> None:
    connection.execute(text("UPDATE users SET roles = 'administrator owner:read'"))
    assert roles(root.logged_in()) == ["administrator", "owner:read"]


def test_a_session_from_before_the_migration_is_one_of_a_password(
    root: Person, connection: Connection
) -> None:
    root.logged_in()
    connection.execute(text("UPDATE refresh_tokens SET authenticated_at = NULL"))
    assert root.refresh().status_code == 200
    assert roles(root) == ["editor"]


def test_without_the_setting_each_session_has_every_role(root: Person, app: Flask) -> None:
    root.app = app
    root.logged_in()
    assert claims(root.access_token)["roles"] == ["admin", "editor"]


def bearer(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.access_token}"}
