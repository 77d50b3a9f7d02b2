"""X1, X2, O1: which origins are refused, and which get CORS.

The expected responses are computed from the small tables here, independently of the code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from authsvc.database import our_engine
from authsvc.guard.access_token import public
from tests.conftest import MakeApp, empty_tables
from tests.support.people import Person
from tests.support.responses import assert_problem

ALLOWED = "https://app.example.com"
ALSO_ALLOWED = "http://localhost:5173"
OWN = "https://auth.example.com"

# None means that the header is absent.
ORIGINS = [
    None,
    ALLOWED,
    ALSO_ALLOWED,
    OWN,
    "null",
    "",
    "http://app.example.com",
    "http://auth.example.com",
    "https://app.example.com:8443",
    "https://auth.example.com:443",
    "https://evilauth.example.com",
    "https://app.example.com.attacker.example",
    "https://auth.example.com.attacker.example",
    "https://app.example.co",
    "https://other.example.com",
    "https://APP.example.com",
    "https://app.example.com, https://attacker.example",
]
SITES = [None, "same-origin", "same-site", "cross-site", "none", "Garbage"]
CHANGING = ["POST", "PUT", "PATCH", "DELETE"]
METHODS = ["GET", "OPTIONS", "POST", "PUT", "DELETE"]

# The status of each route, by method, for a request without token or cookie and the body {}.
ROUTES = {
    "/auth/login": {"POST": 422},
    "/auth/register": {"POST": 422},
    "/auth/refresh": {"POST": 401},
    "/auth/logout": {"POST": 204},
    "/api/me": {"GET": 401, "DELETE": 401},
    "/api/me/password": {"PUT": 401},
    "/api/me/sessions": {"GET": 401, "DELETE": 401},
    "/api/me/totp": {"POST": 401, "PUT": 401, "DELETE": 401},
    "/healthz": {"GET": 200},
    "/nothing": None,
}
CORS = {
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "Retry-After, WWW-Authenticate, X-Request-ID, DPoP-Nonce",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID",
    "Access-Control-Max-Age": "600",
}


@dataclass(frozen=True)
class Deployment:
    """A way for the service to learn its own origin, which is OWN in each of them.

    Args:
        settings: of the app.
        base_url: what the service itself sees as its address.
        headers: what a proxy in front of it adds.
    """

    settings: dict[str, object]
    base_url: str
    headers: dict[str, str]


DEPLOYMENTS = {
    "no issuer": Deployment({}, OWN, {}),
    "an issuer": Deployment({"issuer": f"{OWN}/tenant"}, "http://10.0.0.1:8000", {}),
    "one trusted proxy": Deployment(
        {"trusted_proxies": 1},
        "http://10.0.0.1:8000",
        {
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "auth.example.com",
        },
    ),
}

MATRIX = [
    *(("no issuer", method) for method in METHODS),
    *((other, method) for other in ("an issuer", "one trusted proxy") for method in METHODS[1:3]),
]


@pytest.fixture(scope="module")
def apps(make_app: MakeApp) -> dict[str, Flask]:
    """An app for each deployment."""
    origins = {"allowed_origins": [ALLOWED, ALSO_ALLOWED]}
    return {
        name: make_app(**origins, **deployment.settings) for name, deployment in DEPLOYMENTS.items()
    }


@pytest.mark.once
@pytest.mark.parametrize(("deployment", "method"), MATRIX)
@pytest.mark.parametrize("path", ROUTES)
def test_the_matrix_of_origin_site_method_and_route(
    apps: dict[str, Flask], deployment: str, path: str, method: str
) -> None:
    app, deployed = apps[deployment], DEPLOYMENTS[deployment]
    wrong = {}
    with counted_statements(app) as statements:
        for origin in ORIGINS:
            for site in SITES:
                statements.clear()
                answer = ask(app, deployed, method, path, origin, site)
                actual = status_and_cors(answer)
                if actual != expected(method, path, origin, site):
                    wrong[origin, site] = actual
                if answer.status_code == 403:
                    assert statements == []
    assert wrong == {}


def expected(
    method: str, path: str, origin: str | None, site: str | None
) -> tuple[int, dict[str, str]]:
    """Return the status and the CORS headers that the contract requires."""
    cors = {}
    if origin in (ALLOWED, ALSO_ALLOWED):
        cors = {"Access-Control-Allow-Origin": origin, **CORS}
        if method == "OPTIONS":
            cors |= PREFLIGHT
    if method in CHANGING and refused(origin, site):
        return 403, cors
    taken = ROUTES[path]
    if taken is None:
        return 404, cors
    return 200 if method == "OPTIONS" else taken.get(method, 405), cors


def refused(origin: str | None, site: str | None) -> bool:
    if origin in (ALLOWED, ALSO_ALLOWED):
        return False
    if site is not None:
        return site not in ("same-origin", "none")
    return origin not in (None, OWN)


def ask(
    app: Flask,
    deployed: Deployment,
    method: str,
    path: str,
    origin: str | None,
    site: str | None,
) -> TestResponse:
    headers = {"Access-Control-Request-Method": "PUT", **deployed.headers}
    if origin is not None:
        headers["Origin"] = origin
    if site is not None:
        headers["Sec-Fetch-Site"] = site
    client = app.test_client(use_cookies=False)
    body = {} if method == "OPTIONS" else {"json": {}}
    return client.open(path, method=method, base_url=deployed.base_url, headers=headers, **body)


def status_and_cors(answer: TestResponse) -> tuple[int, dict[str, str]]:
    """Return the status and the CORS headers; assert the code of a refusal, and `Vary`."""
    assert [name.strip() for name in answer.headers["Vary"].split(",")].count("Origin") == 1
    if answer.status_code == 403:
        assert answer.mimetype == "application/problem+json"
        assert answer.json["code"] == "cross_origin_refused"
    cors = {
        name: value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control-")
    }
    return answer.status_code, cors


@contextmanager
def counted_statements(app: Flask) -> Iterator[list[str]]:
    """Collect the statements and transactions that reach the app's database in the block."""
    statements: list[str] = []

    def note_statement(*args: object) -> None:
        statements.append(str(args[2]))

    def note_begin(connection: object) -> None:
        statements.append("begin")

    with app.app_context():
        engine = our_engine()
    event.listen(engine, "before_cursor_execute", note_statement)
    event.listen(engine, "begin", note_begin)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note_statement)
        event.remove(engine, "begin", note_begin)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("origin", [ALLOWED, OWN, "null", "https://attacker.example"])
def test_without_allowed_origins_no_response_has_a_cors_header(
    app: Flask, path: str, origin: str
) -> None:
    for method in METHODS:
        answer = ask(app, DEPLOYMENTS["no issuer"], method, path, origin, None)
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
        assert "Vary" not in answer.headers
        assert (answer.status_code == 403) == (method in CHANGING and origin != OWN)


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null"])
def test_a_sibling_page_can_neither_log_in_nor_out(alice: Person, origin: str) -> None:
    alice.logged_in()
    kept = alice.refresh_token
    assert alice.log_in(Origin=origin).status_code == 403
    assert alice.refresh(Origin=origin).status_code == 403
    answer = alice.log_out(**{"Sec-Fetch-Site": "same-site"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert alice.refresh_token == kept
    assert alice.refresh().status_code == 200


def test_x_forwarded_host_does_not_make_an_own_origin_of_it(alice: Person) -> None:
    headers = {"Origin": "https://attacker.example", "X-Forwarded-Host": "attacker.example"}
    assert alice.log_in(**headers, **{"X-Forwarded-Proto": "https"}).status_code == 403


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("my_app:8000", "http://my_app:8000"),
        ("auth_service", "http://auth_service"),
        ("Auth.Example.COM", "http://auth.example.com"),
        ("auth.example.com.", "http://auth.example.com."),
        ("auth.example.com:80", "http://auth.example.com"),
        ("auth.example.com:443", "http://auth.example.com:443"),
        ("192.0.2.1:8000", "http://192.0.2.1:8000"),
        ("[2001:db8::1]:8000", "http://[2001:db8::1]:8000"),
        ("[2001:DB8::1]", "http://[2001:db8::1]"),
    ],
)
def test_without_an_issuer_a_page_of_any_valid_host_is_of_the_own_origin(
    app: Flask, host: str, origin: str
) -> None:
    """Issue 14, number 13: a Host with an underscore, and its neighbours."""
    client = app.test_client(use_cookies=False)
    answer = client.post("/auth/logout", headers={"Host": host, "Origin": origin})
    assert answer.status_code == 204
    for other in (f"{origin}x", origin.replace("http:", "https:"), f"http://x{host}"):
        answer = client.post("/auth/logout", headers={"Host": host, "Origin": other})
        assert_problem(answer, 403, "cross_origin_refused")


def test_the_default_port_of_https_does_not_count_either(app: Flask) -> None:
    """Issue 14, number 13."""
    headers = {"Host": "my_app:443", "Origin": "https://my_app"}
    client = app.test_client(use_cookies=False)
    answer = client.post("/auth/logout", headers=headers, base_url="https://x")
    assert answer.status_code == 204


HOSTS = [
    "",
    "[::1",
    "a b",
    "a:0",
    "a:99999",
    "a:b",
    "ex\xe4mple",
    "a,b",
    "a/b",
    "a@b",
    "a:08",
    "[::1]:80",
]


@pytest.mark.parametrize("host", HOSTS)
def test_an_odd_host_matches_no_origin_and_breaks_nothing(app: Flask, host: str) -> None:
    client = app.test_client(use_cookies=False)
    for origin in ("https://attacker.example", f"http://{host}", "http://", "http://None", "None"):
        headers = {"Host": host, "Origin": origin}
        answer = client.post("/auth/logout", headers=headers)
        own = host == "[::1]:80" and origin == "http://[::1]"
        assert answer.status_code == (204 if own else 403), origin


@pytest.fixture(scope="module")
def lenient(make_app: MakeApp) -> Iterator[Flask]:
    """An app that allows ALLOWED, with Alice's account and a broken view."""
    app = make_app(allowed_origins=[ALLOWED])

    @app.get("/broken")
    @public
    def broken() -> None:
        raise RuntimeError("broken")

    Person(app, "alice@example.com", "a horse that is correct").register()
    yield app
    empty_tables(app)


def _error(app: Flask, status: int, headers: dict[str, str]) -> TestResponse:
    alice = Person(app, "alice@example.com", "a horse that is correct").logged_in()
    right = {"password": alice.password, "email": alice.email}
    ways = {
        400: ("POST", "/auth/login", {"data": b"{", "content_type": "application/json"}),
        401: ("GET", "/api/me/sessions", {"headers": {"Authorization": "Bearer x"}}),
        403: ("DELETE", "/api/me", {"json": {"password": "a wrong one"}}),
        404: ("GET", "/nothing", {}),
        405: ("GET", "/auth/logout", {}),
        409: ("POST", "/auth/register", {"json": right}),
        413: ("POST", "/auth/login", {"json": {"email": "x" * 20_000}}),
        415: ("POST", "/auth/login", {"data": b"{}", "content_type": "text/plain"}),
        422: ("POST", "/auth/login", {"json": {}}),
        500: ("GET", "/broken", {}),
    }
    method, path, request = ways[status]
    request["headers"] = {**request.get("headers", {}), **headers}
    return alice.call(method, path, **request)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 415, 422, 500])
def test_errors_have_cors_headers_for_allowed_origins_only(lenient: Flask, status: int) -> None:
    same = {"Sec-Fetch-Site": "same-origin"}  # so that a stranger gets the same error
    answer = _error(lenient, status, {"Origin": ALLOWED, **same})
    assert status_and_cors_of_error(answer) == (
        status,
        {"Access-Control-Allow-Origin": ALLOWED, **CORS},
    )
    answer = _error(lenient, status, {"Origin": "https://attacker.example", **same})
    assert status_and_cors_of_error(answer) == (status, {})


def status_and_cors_of_error(answer: TestResponse) -> tuple[int, dict[str, str]]:
    assert answer.mimetype == "application/problem+json"
    cors = {n: v for n, v in answer.headers.items() if n.startswith("Access-Control-")}
    assert "Origin" in answer.headers["Vary"]
    return answer.status_code, cors


def test_a_429_has_cors_headers(lenient: Flask) -> None:
    mallory = Person(lenient, "nobody@example.com", "a guess that is long")
    answers = [mallory.log_in(Origin=ALLOWED) for _ in range(11)]
    assert status_and_cors_of_error(answers[-1]) == (
        429,
        {"Access-Control-Allow-Origin": ALLOWED, **CORS},
    )
    assert answers[-1].headers["Retry-After"]
    stranger = mallory.log_in(**{"Origin": OWN, "Sec-Fetch-Site": "same-origin"})
    assert status_and_cors_of_error(stranger) == (429, {})


def test_a_503_has_cors_headers(make_app: MakeApp) -> None:
    app = make_app(database_url="sqlite:////dev/null/authsvc.db", allowed_origins=[ALLOWED])
    client = app.test_client()
    answer = client.get("/readyz", headers={"Origin": ALLOWED})
    assert status_and_cors_of_error(answer) == (
        503,
        {"Access-Control-Allow-Origin": ALLOWED, **CORS},
    )
    assert status_and_cors_of_error(client.get("/readyz", headers={"Origin": OWN})) == (503, {})


def test_closed_registration_has_cors_headers(make_app: MakeApp) -> None:
    app = make_app(registration="closed", allowed_origins=[ALLOWED])
    eve = Person(app, "eve@example.com", "a door that is shut now")
    answer = eve.call("POST", "/auth/register", json=eve.credentials, headers={"Origin": ALLOWED})
    assert answer.json["code"] == "registration_closed"
    assert status_and_cors_of_error(answer) == (
        403,
        {"Access-Control-Allow-Origin": ALLOWED, **CORS},
    )
