"""A bundler's proxy in front of the service: docs/browser.md, "If the login does not last"."""

import pytest

from tests.conftest import MakeApp

PHONE = "http://192.168.1.7:5173"  # plain HTTP on another host: browsers send no Sec-Fetch-Site
COMPUTER = "http://localhost:5173"
SERVICE = "localhost:8000"


@pytest.mark.once
@pytest.mark.parametrize(
    ("page", "host", "site", "status"),
    [
        (COMPUTER, SERVICE, "same-origin", 422),
        (PHONE, SERVICE, None, 403),
        (PHONE, "192.168.1.7:5173", None, 422),
    ],
    ids=["on the computer", "on a phone", "on a phone, with the page's Host"],
)
def test_a_page_behind_a_proxy_is_refused_only_if_its_host_is_replaced(
    make_app: MakeApp, page: str, host: str, site: str | None, status: int
) -> None:
    headers = {"Origin": page, "Host": host, **({"Sec-Fetch-Site": site} if site else {})}
    response = make_app().test_client().post("/auth/login", json={}, headers=headers)
    assert response.status_code == status


@pytest.mark.once
def test_a_page_behind_such_a_proxy_can_be_allowed(make_app: MakeApp) -> None:
    client = make_app(allowed_origins=PHONE).test_client()
    headers = {"Origin": PHONE, "Host": SERVICE}
    assert client.post("/auth/login", json={}, headers=headers).status_code == 422
