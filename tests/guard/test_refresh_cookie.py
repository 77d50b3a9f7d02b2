"""The attributes of the refresh cookie that settings choose (K1)."""

import pytest

from tests.conftest import MakeApp
from tests.support.people import Person


@pytest.mark.parametrize("samesite", ["Strict", "None"])
def test_a_partitioned_cookie_is_set_and_cleared_with_the_attribute(
    make_app: MakeApp, alice: Person, samesite: str
) -> None:
    """Issue 14, number 16."""
    alice.app = make_app(cookie_partitioned=True, cookie_samesite=samesite)
    attributes = f"Path=/; Secure; HttpOnly; SameSite={samesite}; Max-Age="
    cookie = alice.log_in().headers["Set-Cookie"]
    assert cookie.endswith(f"; {attributes}604800; Partitioned")
    cookie = alice.log_out().headers["Set-Cookie"]
    assert cookie == f"__Host-refresh_token=; {attributes}0; Partitioned"


def test_without_the_setting_the_cookie_is_not_partitioned(alice: Person) -> None:
    assert "Partitioned" not in alice.log_in().headers["Set-Cookie"]
    assert "Partitioned" not in alice.log_out().headers["Set-Cookie"]
