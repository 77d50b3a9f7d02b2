"""GET /.well-known/oauth-authorization-server (RFC 8414)."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest
from flask import Flask
from openapi_spec_validator import validate
from werkzeug.serving import make_server

from authsvc.guard.access_token import is_public
from tests.conftest import MakeApp
from tests.support.api_description import Description
from tests.support.key_pair_settings import signed_by
from tests.support.nginx_server import changed, nginx
from tests.support.people import Person
from tests.support.responses import assert_problem, claims
from tests.support.running_service import ROOT, free_port

pytestmark = pytest.mark.once

ROUTE = "/.well-known/oauth-authorization-server"
ISSUER = "https://auth.example.com"


def metadata(issuer: str, base: str) -> dict[str, object]:
    return {
        "issuer": issuer,
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "introspection_endpoint": f"{base}/auth/introspect",
        "response_types_supported": [],
        "dpop_signing_alg_values_supported": ["ES256"],
    }


def test_without_an_issuer_the_route_does_not_exist(app: Flask) -> None:
    assert_problem(app.test_client().get(ROUTE), 404, "not_found")
    assert ROUTE not in Description(app).document["paths"]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("signing", ["HS256", "ES256"])
def test_the_issuer_is_the_claim_of_its_tokens_and_urls_have_no_double_slash(
    make_app: MakeApp, alice: Person, slash: str, signing: str
) -> None:
    keys = {} if signing == "HS256" else signed_by(signing)
    alice.app = app = make_app(issuer=f"{ISSUER}{slash}", **keys)
    answer = app.test_client().get(ROUTE)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json == metadata(f"{ISSUER}{slash}", ISSUER)
    assert claims(alice.logged_in().access_token)["iss"] == answer.json["issuer"]
    for url in (answer.json["jwks_uri"], answer.json["introspection_endpoint"]):
        path = url.removeprefix(ISSUER)
        assert app.test_client().open(path, method="OPTIONS").status_code == 200


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_issuer_with_a_path_is_also_found_with_the_path_last(
    make_app: MakeApp, slash: str
) -> None:
    app = make_app(issuer=f"{ISSUER}/a/b%20c{slash}")
    client = app.test_client()
    for path in (ROUTE, f"{ROUTE}/a/b%20c"):
        answer = client.get(path)
        assert answer.json == metadata(f"{ISSUER}/a/b%20c{slash}", f"{ISSUER}/a/b%20c"), path
        assert answer.headers["Cache-Control"] == "public, max-age=60"
    for path in (
        f"{ROUTE}/a",
        f"{ROUTE}/a/b",
        f"{ROUTE}/",
        f"{ROUTE}/a/b%20c/",
        f"/a/b%20c{ROUTE}",
    ):
        assert_problem(client.get(path), 404, "not_found")
    assert list(Description(app).document["paths"]).count(ROUTE) == 1
    validate(Description(app).document)


@contextmanager
def listening(app: Flask) -> Iterator[int]:
    """Serve the app within the block; yield its port."""
    server = make_server("127.0.0.1", 0, app)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_documents_lines_for_nginx_pass_the_url_of_an_issuer_with_a_path(
    make_app: MakeApp, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    [lines] = [text for text in re.findall(r"```nginx\n(.*?)```", page, re.S) if ROUTE in text]
    port = free_port()
    issuer = "https://example.com/accounts"
    with listening(make_app(issuer=issuer)) as behind:
        ours = f"127.0.0.1:{behind}"
        lines = changed(lines, {"127.0.0.1:8000": ours})
        prefix = f"location /accounts/ {{ proxy_pass http://{ours}/; }}"
        with nginx(f"server {{ listen 127.0.0.1:{port};\n{prefix}\n{lines} }}", tmp_path):
            for path in (f"{ROUTE}/accounts", f"/accounts{ROUTE}"):
                with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                    assert json.load(answer) == metadata(issuer, issuer)


def test_an_issuer_without_a_path_has_one_route(make_app: MakeApp) -> None:
    client = make_app(issuer=ISSUER).test_client()
    for path in (f"{ROUTE}/", f"{ROUTE}/a"):
        assert_problem(client.get(path), 404, "not_found")


def test_the_routes_are_public_and_only_read(make_app: MakeApp) -> None:
    app = make_app(issuer=f"{ISSUER}/a")
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(ROUTE)]
    assert len(rules) == 2
    for rule in rules:
        assert is_public(app.view_functions[rule.endpoint])
        answer = app.test_client().post(rule.rule, json={})
        assert_problem(answer, 405, "method_not_allowed")
        assert app.test_client().head(rule.rule).status_code == 200


def test_the_document_describes_the_response(make_app: MakeApp) -> None:
    app = make_app(issuer=ISSUER)
    description = Description(app)
    validate(description.document)
    description.assert_describes(app.test_client().get(ROUTE))
    operation = description.document["paths"][ROUTE]["get"]
    assert (operation["operationId"], operation["security"]) == ("discovery", [])


def test_caches_may_keep_it_for_a_minute_and_revalidate_it(make_app: MakeApp) -> None:
    client = make_app(issuer=ISSUER).test_client()
    first = client.get(ROUTE)
    assert first.headers.getlist("Cache-Control") == ["public, max-age=60"]
    again = client.get(ROUTE, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
