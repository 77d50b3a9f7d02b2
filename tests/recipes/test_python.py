"""FastAPI, Django, Flask and Flask-JWT-Extended accept the service's access tokens."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.recipes.contract import AcceptsAccessTokensOnly, Api
from tests.recipes.listings import ISSUER, listing
from tests.recipes.servers import running
from tests.recipes.tokens import ROLES, Tokens
from tests.support.nginx_server import changed
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.running_service import ROOT, Service, free_port
from tests.support.signing_secrets import ACCESS_SECRET

SERVERS = Path(__file__).parent / "python_servers.py"
PUBLIC = ("FastAPI", "Django", "Flask", "Flask-JWT-Extended with public keys")
SHARED = "Flask-JWT-Extended"
DJANGO = """
SECRET_KEY = "not used"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
"""
URLS = """
from django.urls import path
from views import notes
urlpatterns = [path("notes", notes)]
"""


def django(holding: str, changes: dict[str, str] | None = None) -> str:
    return listing("Django REST framework", "python", changes, holding)


def extended() -> str:
    return listing("Flask-JWT-Extended", "python", holding="def notes")


def with_public_keys() -> str:
    """Return the first listing, changed as the second says."""
    first, second = extended(), listing("Flask-JWT-Extended", "python", holding="PyJWKClient")
    start = first.index("@jwt.decode_key_loader")
    end = first.index("@jwt.unauthorized_loader")
    return changed(first[:start] + second + first[end:], {'["HS256"]': '["ES256"]'})


@pytest.fixture(scope="module")
def ports(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The port of each recipe."""
    folder = tmp_path_factory.mktemp("python")
    here = {ISSUER: service.url}
    files = {
        "fastapi_notes": listing("FastAPI", "python", here),
        "flask_notes": listing("Flask", "python", here),
        "flask_jwt_extended_notes": extended(),
        "flask_jwt_extended_with_keys": changed(with_public_keys(), here),
        "settings": DJANGO + django("SIMPLE_JWT", here),
        "access_token": django("class AccessToken"),
        "views": django("def notes"),
        "urls": URLS,
    }
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    ports = {name: free_port() for name in (*PUBLIC, SHARED)}
    command = [sys.executable, SERVERS, *(str(port) for port in ports.values())]
    environ = {"PYTHONPATH": str(ROOT), "AUTHSVC_ACCESS_TOKEN_SECRET": ACCESS_SECRET.hex()}
    with running(command, folder, [*ports.values()], **environ):
        yield ports


class TestWithPublicKeys(AcceptsAccessTokensOnly):
    @pytest.fixture(params=PUBLIC)
    def api(self, request: pytest.FixtureRequest, ports: dict[str, int]) -> Api:
        return Api(ports[request.param])


@pytest.mark.once
@pytest.mark.usefixtures("database")
class TestFlaskJwtExtended(AcceptsAccessTokensOnly):
    """It shares the access secret, so its tokens come from a service with HS256."""

    @pytest.fixture
    def api(self, ports: dict[str, int]) -> Api:
        return Api(ports[SHARED])

    @pytest.fixture
    def tokens(self, make_app: MakeApp, app: Flask, operator: Operator) -> Tokens:
        service = make_app(issuer=ISSUER)
        alice = Person(service, "alice@example.com", "a horse that is correct").register()
        assert operator.run("users", "grant", alice.email, *ROLES).exit_code == 0
        alice.logged_in()
        return Tokens(alice.access_token, alice.refresh_token, ACCESS_SECRET, "HS256")
