"""The whole service, with a protected route of an operator's own that returns what bare Flask does.

`python -m bench.peers.guarded` fills its database, and prints each session's cookie on a line.
"""

import os
from typing import Any

from flask import Flask
from sqlalchemy import event

from authsvc import create_app
from authsvc.audit.record import OPERATOR
from authsvc.database import our_engine, schema
from authsvc.guard.refresh_cookie import RefreshCookie
from authsvc.monitoring.instruments import Instruments
from authsvc.monitoring.request_log import RequestLog
from authsvc.monitoring.request_metrics import RequestMetrics
from authsvc.users import registration
from authsvc.users.passwords import Passwords
from authsvc.web import registry
from authsvc.web.forwarded import ForwardedHeaders
from authsvc.web.headers import REQUEST_ID, ResponseHeaders
from bench.peers.bare import things
from tests.support.direct_login import open_for, verify_password


def guarded() -> Flask:
    """Return the app. LAYERS keeps only the WSGI layers that it names: metrics, log, headers."""
    app = create_app()
    app.add_url_rule("/api/things", view_func=things)
    if "LAYERS" in os.environ:
        _keep_only(app, os.environ["LAYERS"].split())
    return app


def _keep_only(app: Flask, layers: list[str]) -> None:
    wsgi: Any = app.wsgi_app
    while hasattr(wsgi, "_app"):
        wsgi = wsgi._app
    if "metrics" in layers:
        with app.app_context():
            wsgi = RequestMetrics(wsgi, registry.get(Instruments).requests)
    if "log" in layers:
        wsgi = RequestLog(wsgi, "info")
    if "headers" in layers:
        wsgi = ForwardedHeaders(ResponseHeaders(wsgi, hsts_include_subdomains=False), hops=0)
    else:
        wsgi = _with_request_id(wsgi)
    app.wsgi_app = wsgi  # type: ignore[method-assign]


def _with_request_id(wsgi: Any) -> Any:
    """Set a request id, as the layer of the headers does."""

    def call(environ: Any, start_response: Any) -> Any:
        environ[REQUEST_ID] = "0123456789abcdef"
        return wsgi(environ, start_response)

    return call


def fill(sessions: int) -> None:
    """Open sessions for Alice, and print the cookie of each."""
    schema.upgrade(os.environ["AUTHSVC_DATABASE_URL"])
    app = create_app()
    with app.app_context():
        event.listen(our_engine(), "connect", _do_not_wait_for_the_disk)
        email, password = os.environ["EMAIL"], os.environ["PASSWORD"]
        registration.register(registry.get(Passwords), email, password, OPERATOR)
        alice, cookie = verify_password(email, password), registry.get(RefreshCookie)
        for _ in range(sessions):
            print(f"{cookie.name}={open_for(alice).refresh_token}")
        our_engine().dispose()


def _do_not_wait_for_the_disk(connection: Any, record: Any) -> None:
    """Fill the database faster: if the machine stops meanwhile, it is filled again."""
    sqlite = our_engine().dialect.name == "sqlite"
    connection.execute("PRAGMA synchronous = OFF" if sqlite else "SET synchronous_commit = off")
    connection.commit()


if __name__ == "__main__":
    fill(int(os.environ["SESSIONS"]))
