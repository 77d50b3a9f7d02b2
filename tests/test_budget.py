"""A budget of SQL statements and function calls for each route. Raising one is a decision."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from authsvc.tokens.one_time import Purpose
from tests.conftest import MakeApp
from tests.support.authenticator_app import confirm, scan, set_up
from tests.support.device import Device, ask, offered
from tests.support.dpop import Prover
from tests.support.line_coverage import is_mark_of_coverage
from tests.support.operator_commands import Operator
from tests.support.passkeys import add_passkey, assertion, creation_options, register, send
from tests.support.people import Person
from tests.support.recovery import link_of
from tests.support.responses import claims, counted_statements
from tests.support.second_factors import give_totp
from tests.support.software_authenticator import SoftwareAuthenticator

NEW = "a lamp that is not lit"
CAROL = {"email": "carol@example.com", "password": NEW}
PROVER = Prover()


def change_password(alice: Person) -> TestResponse:
    body = {"current_password": alice.password, "new_password": NEW}
    return alice.call("PUT", "/api/me/password", json=body)


def end_own_session(alice: Person) -> TestResponse:
    return alice.call("DELETE", f"/api/me/sessions/{claims(alice.access_token)['sid']}")


def verify(alice: Person) -> TestResponse:
    bearer = {"Authorization": f"Bearer {alice.access_token}"}
    return alice.call("GET", "/auth/verify", headers=bearer)


def log_in_bound(alice: Person) -> TestResponse:
    return alice.log_in(DPoP=PROVER.proof("/auth/login"))


def refresh_bound(alice: Person) -> TestResponse:
    return alice.refresh(DPoP=PROVER.proof("/auth/refresh"))


def reauthenticate(alice: Person) -> TestResponse:
    return alice.call("POST", "/auth/reauthenticate", json={"password": alice.password})


def introspect(alice: Person) -> TestResponse:
    answer = alice.call("POST", "/auth/introspect", json={"access_token": alice.access_token})
    assert answer.json["active"] is True
    return answer


def call(method: str, path: str, **kwargs: object) -> Callable[[Person], TestResponse]:
    return lambda alice: alice.call(method, path, **kwargs)


def protected(alice: Person) -> TestResponse:
    return alice.call("GET", "/nothing", headers={"Authorization": f"Bearer {alice.access_token}"})


# The request; statements that read; statements that write. The routes that verify a password count
# attempts before and after, which most of their statements are for.
BUDGET = {
    "GET /": (call("GET", "/"), 0, 0),
    "GET /healthz": (call("GET", "/healthz"), 0, 0),
    "GET /openapi.json": (call("GET", "/openapi.json"), 0, 0),
    "GET /docs": (call("GET", "/docs"), 0, 0),
    "GET /docs/": (call("GET", "/docs/docs.css"), 0, 0),
    "GET /static/authsvc.js": (call("GET", "/static/authsvc.js"), 0, 0),
    "GET /static/authsvc-binding.js": (call("GET", "/static/authsvc-binding.js"), 0, 0),
    "GET /static/authsvc-factors.js": (call("GET", "/static/authsvc-factors.js"), 0, 0),
    "GET /readyz": (call("GET", "/readyz"), 0, 1),
    "GET /metrics": (call("GET", "/metrics"), 0, 0),
    "POST /auth/register": (call("POST", "/auth/register", json=CAROL), 1, 4),
    "POST /auth/login": (lambda alice: alice.on_another_device().log_in(), 4, 7),
    "POST /auth/login with a live cookie": (lambda alice: alice.log_in(), 4, 8),
    "POST /auth/refresh": (lambda alice: alice.refresh(), 1, 0),
    "POST /auth/passkey/options": (call("POST", "/auth/passkey/options", json={}), 0, 0),
    "POST /auth/reauthenticate": (reauthenticate, 7, 6),
    "POST /auth/logout": (lambda alice: alice.log_out(), 0, 2),
    "GET /auth/verify": (verify, 0, 0),
    "POST /auth/introspect": (introspect, 1, 0),
    "GET /.well-known/jwks.json": (call("GET", "/.well-known/jwks.json"), 0, 0),
    "GET /api/me": (call("GET", "/api/me"), 1, 0),
    "GET /api/me/activity": (call("GET", "/api/me/activity"), 2, 0),
    "PUT /api/me/password": (change_password, 6, 9),
    "GET /api/me/factors": (call("GET", "/api/me/factors"), 4, 0),
    "POST /api/me/totp": (call("POST", "/api/me/totp", json={}), 5, 2),
    "POST /api/me/passkeys/options": (call("POST", "/api/me/passkeys/options", json={}), 5, 0),
    "GET /api/me/sessions": (call("GET", "/api/me/sessions"), 2, 0),
    "DELETE /api/me/sessions/": (end_own_session, 1, 2),
    "DELETE /api/me/sessions": (call("DELETE", "/api/me/sessions"), 1, 2),
    "DELETE /api/me": (
        lambda alice: alice.call("DELETE", "/api/me", json={"password": alice.password}),
        7,
        8,
    ),
}


def with_a_link(
    path: str, purpose: Purpose, email: str | None = None, **more: str
) -> Callable[[Person], Callable[[Person], TestResponse]]:
    """Return a function that makes a link, and returns the request that uses it."""
    return lambda alice: call("POST", path, json={"token": link_of(alice, purpose, email), **more})


def ask_for(path: str) -> Callable[[Person], Callable[[Person], TestResponse]]:
    return lambda alice: call("POST", path, json={"email": alice.email})


# The routes that need mail: a function that prepares the request; reads; writes.
WITH_MAIL = {
    "POST /auth/password/forgot": (ask_for("/auth/password/forgot"), 1, 3),
    "POST /auth/password/reset": (
        with_a_link("/auth/password/reset", "reset", new_password=NEW),
        3,
        12,
    ),
    "POST /auth/email/resend": (ask_for("/auth/email/resend"), 1, 3),
    "POST /auth/email/verify": (with_a_link("/auth/email/verify", "verification"), 4, 4),
    "POST /auth/email/change": (
        with_a_link("/auth/email/change", "change", "carol@example.com"),
        2,
        7,
    ),
    "POST /api/me/email": (
        lambda alice: call("POST", "/api/me/email", json={"email": "carol@example.com"}),
        4,
        6,
    ),
}


def first_code(alice: Person) -> Callable[[Person], TestResponse]:
    code = scan(alice).code()
    return lambda alice: confirm(alice, code)


def with_an_app(
    method: str, path: str, **body: object
) -> Callable[[Person], Callable[[Person], TestResponse]]:
    """Return a function that sets up an authenticator app, and returns the request."""

    def prepare(alice: Person) -> Callable[[Person], TestResponse]:
        set_up(alice)
        return call(method, path, **body)

    return prepare


def new_passkey(alice: Person) -> Callable[[Person], TestResponse]:
    credential = SoftwareAuthenticator().create(creation_options(alice))
    return lambda alice: register(alice, credential)


def removed_passkey(alice: Person) -> Callable[[Person], TestResponse]:
    add_passkey(alice)
    (passkey,) = alice.call("GET", "/api/me/factors").json["passkeys"]
    return call("DELETE", f"/api/me/passkeys/{passkey['id']}")


def login_by_passkey(alice: Person) -> Callable[[Person], TestResponse]:
    credential = assertion(alice, add_passkey(alice))
    return lambda alice: send(alice.on_another_device(), credential)


def login_by_code(alice: Person) -> Callable[[Person], TestResponse]:
    body = {**alice.credentials, "code": give_totp(alice).now()}
    return lambda alice: alice.on_another_device().call("POST", "/auth/login", json=body)


def reauthentication_by_code(alice: Person) -> Callable[[Person], TestResponse]:
    return call("POST", "/auth/reauthenticate", json={"code": give_totp(alice).now()})


def registration(alice: Person) -> Callable[[Person], TestResponse]:
    _, challenge = offered(alice.log_in())
    device = Device()
    return lambda alice: device.register(alice, challenge)


def renewal(alice: Person) -> Callable[[Person], TestResponse]:
    device = Device()
    device.bind(alice)
    challenge = ask(alice)
    return lambda alice: device.renew(alice, challenge)


# The routes of devices: a function that prepares the request; reads; writes.
WITH_DEVICES = {
    "POST /auth/device": (registration, 1, 2),
    "POST /auth/device/refresh": (renewal, 1, 0),
}


# The routes that need or change factors: a function that prepares the request; reads; writes.
WITH_FACTORS = {
    "POST /auth/login": (login_by_code, 6, 12),
    "POST /auth/reauthenticate": (reauthentication_by_code, 6, 7),
    "POST /auth/passkey": (login_by_passkey, 3, 10),
    "PUT /api/me/totp": (first_code, 6, 11),
    "DELETE /api/me/totp": (with_an_app("DELETE", "/api/me/totp"), 6, 5),
    "POST /api/me/recovery-codes": (with_an_app("POST", "/api/me/recovery-codes", json={}), 5, 5),
    "POST /api/me/passkeys": (new_passkey, 5, 7),
    "DELETE /api/me/passkeys/": (removed_passkey, 5, 5),
}


# The request, and the most function calls, built-in ones included, until its response is ready. A
# bare Flask route with the same response as /nothing needs 313.
CALLS = {
    "a protected route": (protected, 412),
    "POST /auth/refresh": (lambda alice: alice.refresh(), 695),
    "POST /auth/logout": (lambda alice: alice.logged_in().log_out(), 895),
    "POST /auth/login": (lambda alice: alice.on_another_device().log_in(), 3300),
    "POST /auth/refresh of a bound session": (refresh_bound, 830),
    "POST /auth/refresh with claims of its own": (lambda alice: alice.refresh(), 790),
    "POST /auth/login with claims of its own": (
        lambda alice: alice.on_another_device().log_in(),
        3396,
    ),
}


@pytest.fixture(autouse=True)
def still_clock() -> Iterator[None]:
    """Stop the clock, so that the list of revoked sessions is not queried again."""
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False):
        yield


def cost(app: Flask, ask: Callable[[Person], TestResponse], person: Person) -> tuple[int, int]:
    with counted_statements(app) as statements:
        answer = ask(person)
    assert answer.status_code < 300, answer.json
    reads = statements.count("SELECT")
    return reads, len(statements) - reads


@pytest.mark.parametrize("route", BUDGET)
def test_a_route_executes_its_budgeted_number_of_statements(
    make_app: MakeApp, alice: Person, route: str
) -> None:
    ask, reads, writes = BUDGET[route]
    alice.app = app = make_app()  # it has not seen a proxy, as the shared app may have
    alice.logged_in().call("GET", "/api/me")  # queries the list of revoked sessions
    assert cost(app, ask, alice) == (reads, writes)


def test_the_guard_of_a_protected_route_executes_no_statement(
    make_app: MakeApp, alice: Person
) -> None:
    app = make_app()
    app.add_url_rule("/nothing", view_func=lambda: "")
    alice.logged_in()
    bearer = {"Authorization": f"Bearer {alice.access_token}"}
    ask = call("GET", "/nothing", headers=bearer)
    alice.app = app
    assert cost(app, ask, alice) == (1, 0)  # the first request queries the list
    assert [cost(app, ask, alice) for _ in range(3)] == [(0, 0)] * 3


@pytest.mark.parametrize("route", WITH_FACTORS)
def test_a_route_of_factors_executes_its_budgeted_number_of_statements(
    make_app: MakeApp, alice: Person, route: str
) -> None:
    prepare, reads, writes = WITH_FACTORS[route]
    alice.app = app = make_app()
    alice.logged_in().call("GET", "/api/me")
    assert cost(app, prepare(alice), alice) == (reads, writes)


@pytest.mark.parametrize("route", WITH_MAIL)
def test_a_route_that_needs_mail_executes_its_budgeted_number_of_statements(
    make_app: MakeApp, mail_settings: dict[str, str], alice: Person, route: str
) -> None:
    prepare, reads, writes = WITH_MAIL[route]
    alice.app = app = make_app(**mail_settings)
    alice.logged_in().call("GET", "/api/me")
    assert cost(app, prepare(alice), alice) == (reads, writes)


@pytest.mark.parametrize("route", WITH_DEVICES)
def test_a_route_of_devices_executes_its_budgeted_number_of_statements(
    make_app: MakeApp, alice: Person, route: str
) -> None:
    prepare, reads, writes = WITH_DEVICES[route]
    alice.app = app = make_app(device_binding=True)
    alice.logged_in().call("GET", "/api/me")
    assert cost(app, prepare(alice), alice) == (reads, writes)


def test_with_mail_a_login_and_a_refresh_cost_no_statement_more_and_a_registration_an_insert(
    make_app: MakeApp, mail_settings: dict[str, str], alice: Person
) -> None:
    alice.app = app = make_app(**mail_settings)
    alice.logged_in().call("GET", "/api/me")
    for route, more in (
        ("POST /auth/login", 0),
        ("POST /auth/login with a live cookie", 0),
        ("POST /auth/refresh", 0),
        ("POST /auth/register", 1),
    ):
        ask, reads, writes = BUDGET[route]
        assert cost(app, ask, alice) == (reads, writes + more)


def test_where_addresses_must_be_verified_a_login_costs_no_statement_more(
    required_app: Flask, operator: Operator, alice: Person
) -> None:
    operator.run("users", "verify", alice.email)
    alice.app = required_app
    alice.logged_in()
    ask, reads, writes = BUDGET["POST /auth/login"]
    assert cost(required_app, ask, alice) == (reads, writes)


def test_each_route_has_a_budget(mail_app: Flask) -> None:
    routes = {
        f"{method} {rule.rule.partition('<')[0]}"
        for rule in mail_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    budgets = (BUDGET, WITH_MAIL, WITH_FACTORS, WITH_DEVICES)
    assert routes <= set().union(*budgets)


class CountedCalls:
    """WSGI middleware that counts a request's function calls until its response is ready."""

    def __init__(self, app: Flask) -> None:
        self.of_requests: list[int] = []
        self._app, app.wsgi_app = app.wsgi_app, self

    def __call__(self, environ: Any, start_response: Any) -> Any:
        calls = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal calls
            calls += event == "call" or (event == "c_call" and not is_mark_of_coverage(argument))

        sys.setprofile(count)
        try:
            return self._app(environ, start_response)
        finally:
            sys.setprofile(None)
            self.of_requests.append(calls)


def test_claims_of_its_own_cost_no_statement(make_app: MakeApp, alice: Person) -> None:
    alice.app = app = make_app(lambda user_id: {"tenant": "acme"})
    alice.logged_in().call("GET", "/api/me")
    for route in ("POST /auth/login with a live cookie", "POST /auth/refresh"):
        ask, reads, writes = BUDGET[route]
        assert cost(app, ask, alice) == (reads, writes)


def test_a_proof_costs_no_statement(make_app: MakeApp, alice: Person) -> None:
    alice.app = app = make_app()
    log_in_bound(alice)
    _, reads, writes = BUDGET["POST /auth/refresh"]
    assert cost(app, refresh_bound, alice) == (reads, writes)
    _, reads, writes = BUDGET["POST /auth/login with a live cookie"]
    assert cost(app, log_in_bound, alice) == (reads, writes)


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("route", CALLS)
def test_a_route_stays_within_its_budget_of_calls(
    make_app: MakeApp, alice: Person, route: str
) -> None:
    request, limit = CALLS[route]
    own = {"tenant": "acme", "groups": ["staff", "north"]}
    alice.app = app = make_app((lambda user_id: own) if "of its own" in route else None)
    app.add_url_rule("/nothing", view_func=lambda: {"nothing": []})
    log_in = log_in_bound if "bound" in route else Person.log_in
    assert log_in(alice).status_code == 200
    counted = CountedCalls(app)
    for _ in range(6):
        assert request(alice).status_code < 300
    fewest = min(counted.of_requests[2:])
    print(route, counted.of_requests)
    assert fewest <= limit
