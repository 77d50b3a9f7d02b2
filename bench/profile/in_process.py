"""The parts of a request within this process. Import it when the service's settings are there."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask

from authsvc.audit.record import OPERATOR
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.log_out import log_out
from authsvc.sessions.open import Opened
from authsvc.sessions.refresh import Refreshing, refresh_session
from authsvc.sessions.tokens import SessionTokens
from authsvc.users import registration
from authsvc.users.authentication import Authenticated
from authsvc.users.passwords import Passwords
from authsvc.web import registry
from bench.peers import bare, guarded
from bench.peers.definition import ALICE, SESSIONS
from bench.profile.cpu_time import BATCHES, Rows, microseconds, request
from tests.support.direct_login import NOWHERE, open_for, verify_password

EMAIL, PASSWORD = ALICE["EMAIL"], ALICE["PASSWORD"]
COMMITS = 100
"""Calls in a batch of what commits."""
LOGOUTS = 2 * (BATCHES + 1) * COMMITS
WHOLE = "**all of it**"
BARE_FLASK = "a bare Flask route"


def profiles() -> Iterator[tuple[str, Rows]]:
    """Yield the title and the rows of each table."""
    app = guarded.guarded()
    with app.app_context():
        registration.register(registry.get(Passwords), EMAIL, PASSWORD, OPERATOR)
        alice = verify_password(EMAIL, PASSWORD)
        opened = [open_for(alice) for _ in range(SESSIONS)][-1]
        bare_flask = request(bare.app.wsgi_app, "GET", "/api/things")
        bearer = {"HTTP_AUTHORIZATION": f"Bearer {opened.access_token.access_token}"}
        rows = _layers(app, bare_flask, "GET", "/api/things", bearer)
        yield "A protected route", _with_rest(rows)
        yield "A refresh", _refresh(app, bare_flask, opened)
        yield "A logout", _logout(app, bare_flask, alice)
        yield "A login", _login(app, alice)


def _refresh(app: Flask, bare_flask: Callable[[], None], opened: Opened) -> Rows:
    tokens = registry.get(SessionTokens)
    verified = tokens.verify(opened.refresh_token)

    def verify_new() -> None:
        tokens.refresh._verified._claims.clear()
        tokens.verify(opened.refresh_token)

    seen_before = microseconds(lambda: tokens.verify(opened.refresh_token))
    by = registry.get(Refreshing)
    look_up = microseconds(lambda: refresh_session(by, verified, NOWHERE, proof=None, marker=None))
    rows = [
        *_layers(app, bare_flask, "POST", "/auth/refresh", _cookie(opened)),
        ("its token, seen before", seen_before),
        ("the look-up, and the new access token", look_up),
    ]
    return [*_with_rest(rows), ("its token, seen for the first time", microseconds(verify_new))]


def _logout(app: Flask, bare_flask: Callable[[], None], alice: Authenticated) -> Rows:
    tokens = registry.get(SessionTokens)
    sessions = iter([open_for(alice) for _ in range(LOGOUTS)])

    def request_logout() -> None:
        request(app.wsgi_app, "POST", "/auth/logout", _cookie(next(sessions)))()

    def end_session() -> None:
        log_out(tokens, [next(sessions).refresh_token], OPERATOR)

    return _with_rest(
        [
            (WHOLE, microseconds(request_logout, COMMITS)),
            (BARE_FLASK, microseconds(bare_flask)),
            ("its token, and its session's end: one commit", microseconds(end_session, COMMITS)),
        ]
    )


def _login(app: Flask, alice: Authenticated) -> Rows:
    credentials = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    request_login = request(app.wsgi_app, "POST", "/auth/login", body=credentials)

    def hash_password() -> None:
        registry.get(Passwords).verify(PASSWORD, alice.password_hash)

    def count_attempt() -> None:
        with registry.get(Throttle).login(EMAIL, "127.0.0.1"):
            pass

    opening = microseconds(lambda: open_for(alice), COMMITS)
    return _with_rest(
        [
            (WHOLE, microseconds(request_login, 10)),
            ("the hash", microseconds(hash_password, 10)),
            (
                "the attempt, counted and uncounted: two commits",
                microseconds(count_attempt, COMMITS),
            ),
            ("the session, its tokens and its audit event: one commit", opening),
        ]
    )


def _layers(
    app: Any, bare_flask: Callable[[], None], method: str, path: str, sent: dict[str, str]
) -> Rows:
    """Return the cost of a route as a whole, and of the WSGI layers around it."""
    costs: list[float] = []
    wsgi = app.wsgi_app
    while True:
        costs.append(microseconds(request(wsgi, method, path, sent)))
        if not hasattr(wsgi, "_app"):
            break
        wsgi = wsgi._app
    whole, without_forwarded, without_headers, without_log, innermost = costs
    return [
        (WHOLE, whole),
        (BARE_FLASK, microseconds(bare_flask)),
        ("the headers of proxies", whole - without_forwarded),
        ("headers and request id", without_forwarded - without_headers),
        ("the line in the log", without_headers - without_log),
        ("the metrics", without_log - innermost),
    ]


def _with_rest(rows: Rows) -> Rows:
    (_, whole), *parts = rows
    rest = whole - sum(cost for _, cost in parts)
    return [*rows, ("the rest, minus what the service leaves out of Flask", rest)]


def _cookie(opened: Opened) -> dict[str, str]:
    return {"HTTP_COOKIE": f"__Host-refresh_token={opened.refresh_token}"}
