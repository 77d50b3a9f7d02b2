"""The URI that a proof must name: the one that the client used, whatever proxies made of it."""

from typing import Any

import pytest
from flask import Flask

from authsvc.guard.own_origin import OwnOrigin
from authsvc.settings import Settings
from authsvc.web.forwarded import ForwardedHeaders
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

PATH = "/auth/refresh"


def uri(issuer: str | None = None, hops: int = 0, path: str = PATH, **environ: Any) -> str | None:
    """Return the URI of a request, whose environment is as gunicorn makes it."""
    settings = Settings.model_validate(
        {
            "database_url": "sqlite:////nowhere/authsvc.db",
            "access_token_secret": ACCESS_SECRET.hex(),
            "refresh_token_secret": REFRESH_SECRET.hex(),
            "issuer": issuer,
        }
    )
    own, found = OwnOrigin(settings), []
    app = Flask("service")
    app.add_url_rule("/<path:any>", view_func=lambda any: found.append(own.uri()) or "")
    app.wsgi_app = ForwardedHeaders(app.wsgi_app, hops, settings.prefix)
    served = app.wsgi_app
    app.wsgi_app = lambda sent, start: served(without_nones(sent), start)
    app.test_client().get(path, environ_overrides=environ)
    return found[0]


def without_nones(environ: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in environ.items() if value is not None}


@pytest.mark.parametrize(
    ("host", "scheme", "origin"),
    [
        ("example.com", "http", "http://example.com"),
        ("EXAMPLE.com:80", "http", "http://example.com"),
        ("example.com:443", "https", "https://example.com"),
        ("example.com:443", "http", "http://example.com:443"),
        ("localhost:8000", "http", "http://localhost:8000"),
        ("[::1]:8000", "http", "http://[::1]:8000"),
        ("my_container", "http", "http://my_container"),
    ],
)
def test_without_an_issuer_the_host_and_scheme_of_the_request_count(
    host: str, scheme: str, origin: str
) -> None:
    environ = {"HTTP_HOST": host, "wsgi.url_scheme": scheme}
    assert uri(**environ) == f"{origin}{PATH}"


@pytest.mark.parametrize("host", [None, "", "a b", "evil.example/x", "a:99999", "a@b", "a,b"])
def test_a_request_whose_host_is_not_one_has_no_uri(host: str | None) -> None:
    assert uri(HTTP_HOST=host) is None


def test_the_issuer_counts_before_the_host() -> None:
    issuer = "https://Auth.Example.com:443"
    assert uri(issuer, HTTP_HOST="evil.example") == f"https://auth.example.com{PATH}"


def test_forwarded_headers_count_only_behind_a_trusted_proxy() -> None:
    headers = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "a.example"}
    assert uri(**headers) == f"http://localhost{PATH}"
    assert uri(hops=1, **headers) == f"https://a.example{PATH}"


@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
@pytest.mark.parametrize(
    ("target", "path"),
    [
        (f"{PATH}?a=b", PATH),
        (f"{PATH}?a=http://b?c", PATH),
        ("/auth/refre%73h", "/auth/refre%73h"),
        ("/auth/refresh/%C3%a9", "/auth/refresh/%C3%a9"),
        (f"http://evil.example{PATH}?a", PATH),
        (f"HTTPS://evil.example:1{PATH}", PATH),
        ("/a/http://b/c", "/a/http://b/c"),
    ],
)
def test_the_path_counts_as_the_client_wrote_it(name: str, target: str, path: str) -> None:
    others = {"RAW_URI": "", "REQUEST_URI": ""}
    assert uri(**{**others, name: target}) == f"http://localhost{path}"


@pytest.mark.parametrize("prefix", ["/accounts", "/auth", "/auth/refresh", "/a%20b"])
def test_a_prefix_that_a_proxy_removed_is_part_of_the_uri(prefix: str) -> None:
    issuer = f"https://example.com{prefix}/"
    assert uri(issuer) == f"https://example.com{prefix}{PATH}"
    assert uri(issuer, RAW_URI=f"http://upstream{PATH}") == f"https://example.com{prefix}{PATH}"


def test_a_prefix_that_the_server_removed_is_in_the_uri_once() -> None:
    environ = {"SCRIPT_NAME": "/accounts", "RAW_URI": f"/accounts{PATH}?a=b"}
    assert uri(**environ) == f"http://localhost/accounts{PATH}"
