"""A service of the version before, whose settings have no factor secret, after the upgrade."""

import json
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest

from tests.support.running_service import Service, serving

PASSWORD = "a horse that is correct"


@pytest.fixture(scope="module")
def service(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(database_url, tmp_path_factory.mktemp("before") / "output", workers=1) as running:
        yield running


def call(
    service: Service, method: str, path: str, body: object = None, **headers: str
) -> tuple[HTTPResponse, dict[str, object]]:
    """Send a request, and return the response and its JSON."""
    sent = {"Content-Type": "application/json", **headers}
    with service.connected() as connection:
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        return response, json.loads(response.read() or b"{}")


def test_it_starts_and_logs_no_warning(service: Service) -> None:
    assert call(service, "GET", "/readyz")[0].status == 200
    assert "warning" not in service.output.read_text()


def test_its_description_has_no_route_of_authenticator_apps(service: Service) -> None:
    paths = call(service, "GET", "/openapi.json")[1]["paths"]
    assert isinstance(paths, dict)
    assert "/auth/passkey" in paths
    assert [path for path in paths if "totp" in path] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_person_logs_in_as_before_and_cannot_set_up_an_authenticator_app(
    service: Service, method: str
) -> None:
    person = {"email": f"alice-{method.lower()}@example.com", "password": PASSWORD}
    assert call(service, "POST", "/auth/register", person)[0].status == 201
    _, tokens = call(service, "POST", "/auth/login", person)
    bearer = f"Bearer {tokens['access_token']}"
    response, problem = call(service, method, "/api/me/totp", {}, Authorization=bearer)
    assert (response.status, problem["code"]) == (404, "not_found")
