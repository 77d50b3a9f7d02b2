"""The service below a path: of the issuer, behind a proxy; or of the server's SCRIPT_NAME."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from threading import Thread
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Blueprint, Flask, redirect, url_for
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server
from werkzeug.test import Client

from authsvc.guard import public
from tests.conftest import MakeApp
from tests.support.guard_calls import call
from tests.support.nginx_server import changed, nginx
from tests.support.people import Person
from tests.support.responses import assert_problem
from tests.support.running_service import ROOT, free_port

pytestmark = pytest.mark.once

ISSUER = "https://example.com/accounts"


def add_pages(app: Flask) -> Flask:
    """Add an operator's pages, which link to one another."""
    own = Blueprint("own", __name__, url_prefix="/own")
    own.get("/link", endpoint="link")(public(lambda: url_for(".link")))
    own.get("/leave", endpoint="leave")(public(lambda: redirect(url_for(".link"))))
    own.get("/slashed/", endpoint="slashed")(public(lambda: "slashed"))
    app.register_blueprint(own)
    return app


@pytest.mark.parametrize("issuer", [ISSUER, f"{ISSUER}/"])
def test_with_an_issuer_below_a_path_links_lead_below_it(make_app: MakeApp, issuer: str) -> None:
    app = add_pages(make_app(issuer=issuer))
    problem = call(app, "GET", "/api/me").json
    assert problem["type"] == f"{ISSUER}/docs#access_token_missing"
    assert call(app, "GET", "/openapi.json").json["servers"] == [{"url": ISSUER}]
    assert f"AUTH={ISSUER}" in call(app, "GET", "/docs").text
    assert call(app, "GET", "/own/link").text == "/accounts/own/link"
    assert call(app, "GET", "/own/leave").headers["Location"] == "/accounts/own/link"
    assert call(app, "GET", "/own/slashed").headers["Location"].endswith("/accounts/own/slashed/")


def test_an_issuer_at_the_root_makes_types_absolute_too(make_app: MakeApp) -> None:
    app = add_pages(make_app(issuer="https://auth.example.com/"))
    for path, code in (("/nowhere", "not_found"), ("/api/me", "access_token_missing")):
        assert call(app, "GET", path).json["type"] == f"https://auth.example.com/docs#{code}"
    assert call(app, "GET", "/own/link").text == "/own/link"


def test_examples_of_problems_have_the_types_that_clients_get(make_app: MakeApp) -> None:
    text = call(make_app(issuer=ISSUER), "GET", "/openapi.json").text
    assert f'"type": "{ISSUER}/docs#rate_limited"' in text
    assert '"type": "/docs#' not in text


def test_a_path_with_letters_beyond_ascii_is_kept(make_app: MakeApp) -> None:
    app = add_pages(make_app(issuer="https://example.com/k%C3%B6nto"))
    assert call(app, "GET", "/own/leave").headers["Location"] == "/k%C3%B6nto/own/link"


def test_without_an_issuer_the_servers_script_name_counts(make_app: MakeApp, app: Flask) -> None:
    app = add_pages(make_app())
    mounted = Client(DispatcherMiddleware(app, {"/accounts": app, "/other": app}))
    for prefix in ("/accounts", "/other", ""):
        problem = mounted.get(f"{prefix}/api/me").json
        assert problem["type"] == f"{prefix}/docs#access_token_missing"
        document = mounted.get(f"{prefix}/openapi.json").json
        assert document["servers"] == [{"url": prefix or "/"}]
        page = mounted.get(f"{prefix}/docs").text
        assert f"AUTH=http://localhost:8000{prefix}\n" in page
        assert mounted.get(f"{prefix}/own/link").text == f"{prefix}/own/link"


def test_the_servers_script_name_comes_before_the_issuers_path(make_app: MakeApp) -> None:
    app = add_pages(make_app(issuer=ISSUER))
    mounted = Client(DispatcherMiddleware(app, {"/other": app}))
    assert mounted.get("/other/own/link").text == "/other/own/link"
    assert mounted.get("/other/openapi.json").json["servers"] == [{"url": ISSUER}]


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_prefix_that_a_client_sends_is_ignored(make_app: MakeApp, proxies: int) -> None:
    app = add_pages(make_app(trusted_proxies=proxies))
    forged = {"X-Forwarded-Prefix": "/forged", "Script-Name": "/forged"}
    assert call(app, "GET", "/own/link", headers=forged).text == "/own/link"
    assert call(app, "GET", "/api/me", headers=forged).json["type"].startswith("/docs#")


def test_a_person_logs_in_and_out_below_a_path(make_app: MakeApp, app: Flask) -> None:
    below = make_app(issuer=ISSUER)
    dave = Person(below, "dave@example.com", "a door that is ajar").register()
    [cookie] = dave.log_in().headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-refresh_token=")
    assert "; Path=/; " in cookie  # browsers insist on it for __Host-
    assert dave.refresh().status_code == 200
    assert dave.log_out().status_code == 204
    assert_problem(dave.refresh(), 401, "refresh_token_missing")


def documented_site(port: int, behind: int) -> str:
    """Return the listing of docs/deploy.md, as a site on that port in front of another."""
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (listing,) = re.findall(r"^```nginx\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    listing = changed(listing, {"127.0.0.1:8000": f"127.0.0.1:{behind}"})
    return f"server {{ listen 127.0.0.1:{port}; server_name localhost;\n{listing} }}"


@pytest.fixture(scope="module")
def front(make_app: MakeApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """nginx, which has the service below /accounts/; the service's public URL."""
    port = free_port()
    url = f"http://localhost:{port}/accounts"
    app = add_pages(make_app(issuer=url, demo=True, cookie_secure=False))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    site = documented_site(port, server.port)
    try:
        with nginx(site, tmp_path_factory.mktemp("nginx")):
            yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Fetched:
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def fetched(url: str) -> Fetched:
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=15)) as connection:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return Fetched(answer.status, answer.headers, answer.read())


@pytest.mark.parametrize("page", ["/docs", "/demo"])
def test_behind_nginx_every_file_of_a_page_is_found(front: str, page: str) -> None:
    answer = fetched(front + page)
    assert answer.status == 200
    links = re.findall(r'(?:href|src)="([^"#]+)"', answer.body.decode())
    assert links
    for link in links:
        assert fetched(urljoin(front + page, link)).status == 200, link


def test_behind_nginx_each_url_that_the_service_names_is_right(front: str) -> None:
    missing = fetched(f"{front}/api/me")
    assert missing.headers.get_all("WWW-Authenticate") == ['Bearer realm="authsvc"']
    page, _, anchor = missing.json["type"].partition("#")
    explained = fetched(page)
    assert explained.status == 200
    assert f'id="{anchor}"' in explained.body.decode()
    [server] = fetched(f"{front}/openapi.json").json["servers"]
    assert fetched(f"{server['url']}/.well-known/jwks.json").json == {"keys": []}
    assert fetched(f"{server['url']}/static/authsvc.js").status == 200
    assert fetched(f"{front}/own/link").body == b"/accounts/own/link"
