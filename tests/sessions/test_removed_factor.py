"""A session that was opened with a factor which was removed since is not worth two factors."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from werkzeug.test import TestResponse

from tests.support.authenticator_app import set_up
from tests.support.passkeys import add_passkey, log_in_by_passkey
from tests.support.people import Person
from tests.support.recovery import NEW
from tests.support.responses import assert_problem, claims

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def again(person: Person) -> TestResponse:
    return person.call("POST", "/auth/reauthenticate", json={"password": person.password})


def changed_password(person: Person) -> TestResponse:
    body = {"current_password": person.password, "new_password": NEW}
    return person.call("PUT", "/api/me/password", json=body)


@pytest.mark.parametrize("authenticate", [again, changed_password])
def test_the_password_authenticates_it_with_one_factor(
    alice: Person, authenticate: Callable[[Person], TestResponse]
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        set_up(alice.logged_in())
        assert alice.call("DELETE", "/api/me/totp").status_code == 204
        clock.shift(timedelta(hours=1))
        alice.refresh()
        assert claims(alice.access_token)["acr"] == "aal2"
        assert authenticate(alice).status_code == 200
        assert claims(alice.access_token)["amr"] == ["pwd"]
        alice.refresh()
        assert claims(alice.access_token)["acr"] == "aal1"


def test_a_session_of_a_removed_passkey_cannot_remove_a_new_factor(alice: Person) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        passkey = add_passkey(alice.logged_in())
        thief = alice.on_another_device()
        assert log_in_by_passkey(thief, passkey).status_code == 200
        (row,) = alice.call("GET", "/api/me/factors").json["passkeys"]
        assert alice.call("DELETE", f"/api/me/passkeys/{row['id']}").status_code == 204
        clock.shift(timedelta(hours=1))
        thief.refresh()
        assert again(thief).status_code == 200
        set_up(alice.on_another_device().logged_in())
        assert_problem(thief.call("DELETE", "/api/me/totp"), 401, "reauthentication_required")
