"""nginx, Caddy, HAProxy and Envoy pass on only requests with a valid access token."""

import time
from collections.abc import Iterator

import pytest

from tests.recipes.contract import PREFLIGHT, AcceptsAccessTokensOnly, Api
from tests.recipes.proxies import Site, run_caddy, run_envoy, run_haproxy, run_nginx
from tests.recipes.service import log_in, log_out
from tests.recipes.tokens import ROLES, Tokens
from tests.recipes.upstream import Backend, backend
from tests.support.running_service import Service, free_port

Folders = pytest.TempPathFactory
Ports = dict[str, int]
"""The port of each recipe of one program."""
ASKING = ("nginx", "Caddy", "Envoy ext_authz")
"""The proxies that ask the service about each request."""
KNOWING = ("Envoy jwt_authn", "HAProxy")
"""The proxies that have the public key."""
AWAY = tuple(f"{name}, service away" for name in ASKING)
FORBIDDEN = dict.fromkeys(("for another audience", "of another type", "a refresh token"), 403)
"""What Envoy's jwt_authn answers to tokens whose audience or type is another one."""
REFUSED_SECONDS = 30
"""More than the second that the service promises: a test of the service measures that."""
FORGED = {
    name: "mallory"
    for spelling in ("X-Auth-Subject", "X-Auth-Session", "X-Auth-Roles")
    for name in (spelling, spelling.replace("-", "_"), spelling.replace("-S", "_s").upper())
}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Backend]:
    with backend() as server:
        yield server


def sites(service: Service, upstream: Backend, name: str) -> dict[str, Site]:
    """Return where a recipe listens, and where it listens without the service."""
    with_service = Site(free_port(), service.port, upstream.server_port)
    without = Site(free_port(), free_port(), upstream.server_port)
    return {name: with_service, f"{name}, service away": without}


def ports(sites: dict[str, Site]) -> dict[str, int]:
    return {name: site.port for name, site in sites.items()}


@pytest.fixture(scope="module")
def nginx(service: Service, upstream: Backend, tmp_path_factory: Folders) -> Iterator[Ports]:
    both = sites(service, upstream, "nginx")
    with run_nginx([*both.values()], tmp_path_factory.mktemp("nginx")):
        yield ports(both)


@pytest.fixture(scope="module")
def caddy(service: Service, upstream: Backend, tmp_path_factory: Folders) -> Iterator[Ports]:
    both = sites(service, upstream, "Caddy")
    with run_caddy([*both.values()], tmp_path_factory.mktemp("caddy")):
        yield ports(both)


@pytest.fixture(scope="module")
def haproxy(service: Service, upstream: Backend, tmp_path_factory: Folders) -> Iterator[Ports]:
    site = sites(service, upstream, "HAProxy")["HAProxy"]
    with run_haproxy(site, tmp_path_factory.mktemp("haproxy"), service.url):
        yield {"HAProxy": site.port}


@pytest.fixture(scope="module")
def envoy(service: Service, upstream: Backend, tmp_path_factory: Folders) -> Iterator[Ports]:
    both = sites(service, upstream, "Envoy ext_authz")
    knowing = sites(service, upstream, "Envoy jwt_authn")["Envoy jwt_authn"]
    with run_envoy([*both.values()], knowing, service, tmp_path_factory.mktemp("envoy")):
        yield {**ports(both), "Envoy jwt_authn": knowing.port}


@pytest.fixture
def port(name: str, request: pytest.FixtureRequest) -> int:
    """The port of the recipe that the test's `name` says; its program starts when it is needed."""
    program = name.partition(",")[0].partition(" ")[0].lower()
    return int(request.getfixturevalue(program)[name])


class TestProxies(AcceptsAccessTokensOnly):
    @pytest.fixture(params=[*ASKING, *KNOWING])
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def api(self, name: str, port: int) -> Api:
        statuses = FORBIDDEN if name == "Envoy jwt_authn" else {}
        return Api(port, lists=name != "HAProxy", statuses=statuses)

    def test_headers_that_the_client_forged_do_not_reach_the_backend(
        self, api: Api, tokens: Tokens, upstream: Backend
    ) -> None:
        expected = {"sub": tokens.claims["sub"], "roles": ROLES}
        assert api.ask(tokens.access, FORGED).json == expected
        without = {"sub": tokens.claims["sub"], "roles": []}
        assert api.ask(tokens.signed(roles=None), FORGED).json == without
        assert api.ask(headers={**FORGED, **PREFLIGHT}, method="OPTIONS").status < 300
        assert "mallory" not in str(upstream.requests)

    def test_a_preflight_never_names_a_user(
        self, api: Api, tokens: Tokens, upstream: Backend
    ) -> None:
        before = len(upstream.requests)
        for token in (tokens.access, tokens.flawed()["signed with another key"]):
            assert api.ask(token, PREFLIGHT, method="OPTIONS").status < 300
        assert [said for said, _ in upstream.requests[before:] if said] == []

    def test_a_body_reaches_the_backend_and_not_the_service(
        self, api: Api, tokens: Tokens, upstream: Backend
    ) -> None:
        body = b"x" * 100_000
        assert api.ask(tokens.access, method="POST", body=body).status == 200
        assert upstream.requests[-1][1] == len(body)
        assert api.ask(method="POST", body=body).status == 401


@pytest.mark.parametrize("name", [*ASKING, *KNOWING])
def test_the_backend_gets_the_session(port: int, tokens: Tokens, upstream: Backend) -> None:
    Api(port).ask(tokens.access)
    assert upstream.requests[-1][0]["x-auth-session"] == tokens.claims["sid"]


@pytest.mark.parametrize("name", ASKING)
def test_a_refusal_is_the_services_problem(port: int) -> None:
    for token, code in (("", "missing"), ("a.b.c", "invalid")):
        for method, body in (("GET", b""), ("POST", b"{}")):
            answer = Api(port).ask(token, method=method, body=body)
            assert (answer.status, answer.json["code"]) == (401, f"access_token_{code}")
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert "X-Auth-Subject" not in answer.headers


@pytest.mark.parametrize("name", ASKING)
def test_a_revoked_session_is_refused_soon(service: Service, port: int) -> None:
    alice, api = log_in(service), Api(port)
    assert api.ask(alice.access).status == 200
    log_out(service, alice)
    deadline = time.monotonic() + REFUSED_SECONDS
    while api.ask(alice.access).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert api.ask(alice.access).json["code"] == "access_token_revoked"


@pytest.mark.parametrize("name", AWAY)
def test_without_the_service_every_request_is_refused(port: int, tokens: Tokens) -> None:
    assert Api(port).ask(tokens.access).status in (502, 503)


@pytest.mark.parametrize("name", ["nginx"])
def test_nginx_does_not_serve_its_internal_location(port: int, tokens: Tokens) -> None:
    assert Api(port, path="/_access_token").ask(tokens.access).status == 404
