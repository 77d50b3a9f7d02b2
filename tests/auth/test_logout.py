"""POST /auth/logout."""

import pytest
from sqlalchemy import Connection, text

from tests.people import Person


def test_refresh_after_logout_is_refused(alice: Person) -> None:
    alice.logged_in()
    kept = alice.refresh_token
    assert alice.log_out().status_code == 204
    alice.refresh_token = kept
    answer = alice.refresh()
    assert answer.status_code == 401
    assert answer.json["code"] == "refresh_token_revoked"


def test_logout_revokes_the_row_and_clears_the_cookie(
    alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    answer = alice.log_out()
    assert answer.headers["Set-Cookie"] == (
        "__Host-refresh_token=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
    )
    revoked = connection.execute(text("SELECT revoked_at FROM refresh_tokens")).scalar_one()
    assert revoked is not None


@pytest.mark.parametrize("cookie", ["", "garbage", "a.b.c"])
def test_logout_with_nothing_to_revoke_is_204(alice: Person, cookie: str) -> None:
    alice.refresh_token = cookie
    assert alice.log_out().status_code == 204
