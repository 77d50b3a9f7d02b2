"""`authsvc login`: one session from its login to its logout, shown request by request."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import Connection, text
from time_machine import travel

from authsvc.cli import main
from tests.conftest import MakeApp
from tests.support.given_passkeys import give_passkey
from tests.support.local_server import local_server
from tests.support.people import Person
from tests.support.running_service import ROOT
from tests.support.second_factors import give_recovery_codes, give_totp
from tests.support.terminal import at_terminal

pytestmark = pytest.mark.once

Login = Callable[..., Result]
HERE = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
BASE = r"http://localhost:\d+"


@pytest.fixture
def login(app: Flask, alice: Person) -> Iterator[Login]:
    """A function that runs `authsvc login` as Alice."""
    with local_server(app) as url:
        yield lambda *options: run(url, alice.email, *options, typed=alice.password)


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["login", *words], input=f"{typed}\n", prog_name="authsvc")


def test_bound_shows_that_the_cookie_alone_is_refused(login: Login, connection: Connection) -> None:
    result = login("--bound")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(
        rf"POST /auth/login with the password of alice@example.com and a proof for "
        rf"{BASE}/auth/login\n  200\n  an access token for 600 s: .{{8}}…\n"
        rf"  authenticated by pwd: aal1\n"
        rf"  a refresh token in the cookie __Host-refresh_token\n"
        rf"POST /auth/refresh with the cookie and a proof for {BASE}/auth/refresh\n  200\n"
        rf"  an access token for 600 s: .{{8}}…\n"
        rf"  authenticated by pwd: aal1\n"
        rf"POST /auth/refresh with the cookie alone\n  401 dpop_proof_missing\n  This session .*\n"
        rf"  The cookie is not enough: the session is bound to the key.\n"
        rf"POST /auth/logout with the cookie\n  204\n",
        result.stdout,
    )
    live = text("SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL")
    assert connection.execute(live).scalar() == 0


def test_without_a_key_the_cookie_is_enough(login: Login) -> None:
    result = login()
    assert result.exit_code == 0, result.output
    assert "The cookie was enough: the session is not bound to a key.\n" in result.stdout
    assert "proof" not in result.stdout
    assert result.stdout.count("POST ") == 3


def test_a_clock_that_is_wrong_uses_a_nonce(login: Login, app: Flask) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=2)
    wsgi_app = app.wsgi_app

    def on_time(environ: object, start_response: object) -> object:
        with travel(ahead - timedelta(hours=2)):
            return list(wsgi_app(environ, start_response))  # type: ignore[arg-type]

    app.wsgi_app = on_time  # type: ignore[method-assign, assignment]
    try:
        with travel(ahead):
            result = login("--bound")
    finally:
        app.wsgi_app = wsgi_app  # type: ignore[method-assign]
    assert result.exit_code == 0, result.output
    assert result.stdout.count("  401 use_dpop_nonce\n") == 2
    assert result.stdout.count("and a proof with that nonce\n  200\n") == 2


@pytest.mark.parametrize("how", ["asked", "option"])
@pytest.mark.parametrize("bound", [[], ["--bound"]], ids=["unbound", "bound"])
def test_a_code_is_asked_for_or_given_by_an_option(
    app: Flask, alice: Person, how: str, bound: list[str]
) -> None:
    code = give_totp(alice).now()
    with local_server(app) as url:
        if how == "asked":
            typed = f"{alice.password}\n{code[:3]} {code[3:]}"
            result = run(url, alice.email, *bound, typed=typed)
        else:
            result = run(url, alice.email, "--code", code, *bound, typed=alice.password)
    assert result.exit_code == 0, result.output
    refused = result.stdout.count("  401 second_factor_required\n")
    assert refused == (1 if how == "asked" else 0)
    assert "POST /auth/login with the password of alice@example.com and a code" in result.stdout
    assert result.stdout.count("  authenticated by pwd otp mfa: aal2\n") == 2
    assert code not in result.output


@pytest.mark.parametrize("option", [False, True])
def test_a_recovery_code_is_recognized_or_given_by_an_option(
    app: Flask, alice: Person, option: bool
) -> None:
    give_totp(alice)
    code = give_recovery_codes(alice)[0]
    with local_server(app) as url:
        if option:
            result = run(url, alice.email, "--recovery-code", code, typed=alice.password)
        else:
            result = run(url, alice.email, typed=f"{alice.password}\n{code.lower()}")
    assert result.exit_code == 0, result.output
    assert "the password of alice@example.com and a recovery code\n  200\n" in result.stdout
    assert code.lower() not in result.output.lower()


def test_at_a_terminal_the_code_is_not_shown(app: Flask, alice: Person) -> None:
    code = give_totp(alice).now()
    with local_server(app) as url, at_terminal("login", url, alice.email, env=HERE) as terminal:
        terminal.wait_for("Password:")
        terminal.type(alice.password)
        terminal.wait_for("Code of the authenticator app, or a recovery code:")
        terminal.type(code)
        terminal.wait_for("POST /auth/logout with the cookie")
        assert terminal.exit_code() == 0
    assert code.encode() not in terminal.shown


@pytest.mark.parametrize("typed", ["000000", "AAAAA-BBBBB", ""])
def test_a_wrong_factor_exits_1_and_is_not_asked_for_again(
    app: Flask, alice: Person, typed: str
) -> None:
    give_totp(alice)
    with local_server(app) as url:
        result = run(url, alice.email, typed=f"{alice.password}\n{typed}")
    assert result.exit_code == 1
    assert result.stderr == "Error: POST /auth/login: 401 invalid_credentials, not 200.\n"


def test_an_account_with_a_passkey_alone_is_sent_to_a_browser(app: Flask, alice: Person) -> None:
    give_passkey(alice)
    with local_server(app) as url:
        result = run(url, alice.email, typed=f"{alice.password}\n000000")
    assert result.exit_code == 1
    assert "cannot be typed: log in with a browser" in result.stderr


def test_two_factors_at_once_are_refused_before_anything_is_sent() -> None:
    result = run("http://localhost:1", "alice@example.com", "--code", "1", "--recovery-code", "a")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Give either --code or --recovery-code." in result.stderr


@pytest.mark.parametrize("token", ["a.b.c", "a.e30.c", "opaque", "a.eyJhbXIiOiJwd2QifQ.c"])
def test_a_token_that_says_nothing_of_factors_is_shown(token: str) -> None:
    app = Flask("other")
    app.add_url_rule("/auth/login", view_func=lambda: {"access_token": token}, methods=["POST"])
    with local_server(app) as url:
        result = run(url, "alice@example.com", typed="x")
    assert "  It does not say how the person authenticated.\n" in result.stdout


def test_a_wrong_password_exits_1_with_the_services_sentence(app: Flask, alice: Person) -> None:
    with local_server(app) as url:
        result = run(url, alice.email, "--bound", typed="not the password of Alice")
    assert result.exit_code == 1
    assert "  401 invalid_credentials\n" in result.stdout
    assert result.stderr == "Error: POST /auth/login: 401 invalid_credentials, not 200.\n"


def test_where_sessions_must_be_bound_the_sentence_says_so(
    make_app: MakeApp, alice: Person
) -> None:
    with local_server(make_app(require_bound_sessions=True)) as url:
        assert run(url, alice.email, "--bound", typed=alice.password).exit_code == 0
        result = run(url, alice.email, typed=alice.password)
    assert result.exit_code == 1
    assert "send a proof in the header DPoP" in result.stdout


def test_a_session_that_is_not_bound_after_all_is_logged_out(
    login: Login, app: Flask, connection: Connection
) -> None:
    wsgi_app = app.wsgi_app

    def without_proofs(environ: dict[str, str], start_response: object) -> object:
        environ.pop("HTTP_DPOP", None)
        return wsgi_app(environ, start_response)  # type: ignore[arg-type]

    app.wsgi_app = without_proofs  # type: ignore[method-assign, assignment]
    try:
        result = login("--bound")
    finally:
        app.wsgi_app = wsgi_app  # type: ignore[method-assign]
    assert result.exit_code == 1
    assert result.stderr == "Error: POST /auth/refresh: 200, not 401 dpop_proof_missing.\n"
    live = text("SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL")
    assert connection.execute(live).scalar() == 0


def test_no_token_and_no_password_is_shown(login: Login, alice: Person) -> None:
    shown = login("--bound").output
    assert alice.password not in shown
    assert not re.search(r"[\w-]{20,}\.[\w-]+\.", shown)


def test_a_response_without_a_cookie_is_not_the_services() -> None:
    app = Flask("other")
    app.add_url_rule("/auth/login", view_func=dict, methods=["POST"])
    with local_server(app) as url:
        result = run(url, "alice@example.com", typed="x")
    assert (result.exit_code, result.stderr) == (1, "Error: The response sets no refresh cookie.\n")


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("auth.example.com", 2, "is not a URL such as https://auth.example.com"),
        ("http://localhost:1", 2, "no server listens there"),
        ("http://192.0.2.1", 1, "The password was not sent: "),
    ],
)
def test_a_service_that_cannot_be_used_is_refused_with_a_sentence(
    url: str, status: int, said: str
) -> None:
    result = run(url, "alice@example.com", typed="x")
    assert result.exit_code == status
    assert said in result.stderr
