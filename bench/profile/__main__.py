"""python -m bench.profile: where the time of a request goes.

Within the process: CPU microseconds on one thread, the least of some batches, without what the
sockets, gunicorn and other threads cost. Then the layers of a protected route where gunicorn serves
it under load. With --write the tables go into docs/performance.md. It takes three minutes.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from bench.peers.definition import ALICE, SESSIONS
from bench.profile.under_load import costs
from bench.report.document import write
from tests.support.gunicorn_server import environment, new_database

BY = "python -m bench.profile"
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BATCHES = 7
LOGOUTS = 2 * (BATCHES + 1) * 100

WHOLE = "**all of it**"

Rows = list[tuple[str, float]]
"""What is done, and the microseconds that it costs."""


def main() -> None:
    words = argparse.ArgumentParser(prog=BY, description=__doc__)
    words.add_argument("--write", action="store_true", help="into docs/performance.md")
    chosen = words.parse_args()
    with tempfile.TemporaryDirectory() as name, log_in(Path(name) / "log"):
        os.environ |= environment(new_database(Path(name)), rate_limit_factor="1000000")
        within = [table(title, rows) for title, rows in profiles()]
    tables = "\n\n".join(
        [*within, table("A protected route under load, all of the server", costs())]
    )
    print(tables)
    if chosen.write:
        write(PAGE, tables, {}, by=BY)


@contextmanager
def log_in(file: Path) -> Iterator[None]:
    """Let the log go where it goes when the service runs: into a file."""
    terminal = os.dup(sys.stderr.fileno())
    with file.open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    try:
        yield
    finally:
        os.dup2(terminal, sys.stderr.fileno())


def profiles() -> Iterator[tuple[str, Rows]]:
    # Only now, when the settings are there and the log is a file.
    from authsvc.audit.record import OPERATOR
    from authsvc.ratelimit.throttle import Throttle
    from authsvc.sessions.refresh import refresh_session
    from authsvc.sessions.revoke import log_out
    from authsvc.sessions.tokens import SessionTokens
    from authsvc.users import accounts
    from authsvc.users.passwords import Passwords
    from authsvc.web import registry
    from bench.peers import bare, guarded
    from tests.support.direct_login import NOWHERE, open_for, verify_password

    app = guarded.guarded()
    with app.app_context():
        email, password = ALICE["EMAIL"], ALICE["PASSWORD"]
        accounts.register(registry.get(Passwords), email, password, OPERATOR)
        alice, tokens = verify_password(email, password), registry.get(SessionTokens)
        opened = [open_for(alice) for _ in range(SESSIONS)][-1]
        bearer = {"HTTP_AUTHORIZATION": f"Bearer {opened.access_token.access_token}"}
        cookie = cookie_of(opened)

        flask = once(bare.app.wsgi_app, "GET", "/api/things")
        yield "A protected route", with_rest(layers(app, flask, "GET", "/api/things", bearer))

        verified = tokens.verify(opened.refresh_token)
        rows = [
            *layers(app, flask, "POST", "/auth/refresh", cookie),
            ("its token, seen before", us(lambda: tokens.verify(opened.refresh_token))),
            (
                "the look-up, and the new access token",
                us(lambda: refresh_session(tokens, verified, NOWHERE)),
            ),
        ]
        first = ("its token, seen for the first time", first_time(tokens.refresh, opened))
        yield "A refresh", [*with_rest(rows), first]

        def hash_once() -> None:
            registry.get(Passwords).verify(ALICE["PASSWORD"], alice.password_hash)

        def count_once() -> None:
            with registry.get(Throttle).login(ALICE["EMAIL"], "127.0.0.1"):
                pass

        ended = iter([open_for(alice) for _ in range(LOGOUTS)])

        def log_out_once() -> None:
            once(app.wsgi_app, "POST", "/auth/logout", cookie_of(next(ended)))()

        def end_once() -> None:
            log_out(tokens, [next(ended).refresh_token], OPERATOR)

        rows = [
            (WHOLE, us(log_out_once, 100)),
            ("a bare Flask route", us(flask)),
            ("its token, and its session's end: one commit", us(end_once, 100)),
        ]
        yield "A logout", with_rest(rows)

        rows = [
            (WHOLE, us(once(app.wsgi_app, "POST", "/auth/login", body=credentials()), 10)),
            ("the hash", us(hash_once, 10)),
            ("the attempt, counted and forgotten: two commits", us(count_once, 100)),
            (
                "the session, its tokens and its trail: one commit",
                us(lambda: open_for(alice), 100),
            ),
        ]
        yield "A login", with_rest(rows)


def layers(app: Any, flask: Callable[[], Any], method: str, path: str, sent: Any) -> Rows:
    """A route as a whole, and by the layers that it passes."""
    layer: list[float] = []
    wsgi = app.wsgi_app
    while True:
        layer.append(us(once(wsgi, method, path, sent)))
        if not hasattr(wsgi, "_app"):
            break
        wsgi = wsgi._app
    whole, without_headers, without_log, inmost = layer
    return [
        (WHOLE, whole),
        ("a bare Flask route", us(flask)),
        ("headers and request id", whole - without_headers),
        ("the line in the log", without_headers - without_log),
        ("the metrics", without_log - inmost),
    ]


def with_rest(rows: Rows) -> Rows:
    (_, whole), *parts = rows
    rest = whole - sum(cost for _, cost in parts)
    return [*rows, ("the rest, less what the service leaves out of Flask", rest)]


def first_time(tokens: Any, opened: Any) -> float:
    def verify() -> None:
        tokens._memory._claims.clear()
        tokens.verify(opened.refresh_token)

    return us(verify)


def once(
    wsgi: Any, method: str, path: str, sent: dict[str, str] | None = None, body: bytes = b""
) -> Callable[[], None]:
    """A call of that WSGI application, as a server makes it."""
    common: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, **(sent or {})}
    setup_testing_defaults(common)
    common |= {"REMOTE_ADDR": "127.0.0.1", "authsvc.request_id": "0123456789abcdef"}
    if body:
        common |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    statuses: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        statuses.append(status)

    def call() -> None:
        response = wsgi(common | {"wsgi.input": BytesIO(body)}, start)
        b"".join(response)
        response.close()
        assert statuses.pop().startswith("2"), path

    return call


def cookie_of(opened: Any) -> dict[str, str]:
    return {"HTTP_COOKIE": f"__Host-refresh_token={opened.refresh_token}"}


def credentials() -> bytes:
    return (f'{{"email": "{ALICE["EMAIL"]}", "password": "{ALICE["PASSWORD"]}"}}').encode()


def us(call: Callable[[], object], times: int = 1000) -> float:
    """Its CPU microseconds: the least of some batches, which nothing else has slowed."""
    call()
    least = float("inf")
    for _ in range(BATCHES):
        began = time.process_time()
        for _ in range(times):
            call()
        least = min(least, time.process_time() - began)
    return least / times * 1e6


def table(title: str, rows: Rows) -> str:
    lines = [f"| {title} | µs |", "| --- | ---: |"]
    return "\n".join([*lines, *(f"| {what} | {cost:,.0f} |" for what, cost in rows)])


if __name__ == "__main__":
    main()
