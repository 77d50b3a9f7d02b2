"""The service whole, with a user's own protected route that answers what bare Flask answers.

Run as a program it fills its database, and prints the cookie of each session, one a line.
"""

import os
from typing import Any

from flask import Flask
from sqlalchemy import event

from authsvc import create_app
from authsvc.audit.record import OPERATOR
from authsvc.database import db, schema
from authsvc.guard.refresh_cookie import RefreshCookie
from authsvc.monitoring.instruments import Instruments
from authsvc.monitoring.request_log import RequestLog
from authsvc.monitoring.request_metrics import RequestMetrics
from authsvc.users import accounts
from authsvc.users.passwords import Passwords
from authsvc.web import registry
from authsvc.web.headers import REQUEST_ID, ResponseHeaders
from bench.peers.bare import things
from tests.support.direct_login import open_for, verify_password


def guarded() -> Flask:
    """With LAYERS in the environment, only those around Flask: of metrics, log and headers."""
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
        wsgi = RequestLog(wsgi)
    wsgi = ResponseHeaders(wsgi) if "headers" in layers else _with_an_id(wsgi)
    app.wsgi_app = wsgi  # type: ignore[method-assign]


def _with_an_id(wsgi: Any) -> Any:
    """What else the layer of the headers does."""

    def call(environ: Any, start_response: Any) -> Any:
        environ[REQUEST_ID] = "0123456789abcdef"
        return wsgi(environ, start_response)

    return call


def fill(sessions: int) -> None:
    """Open so many sessions for Alice, and print the cookie of each."""
    schema.upgrade(os.environ["AUTHSVC_DATABASE_URL"])
    app = create_app()
    with app.app_context():
        event.listen(db.engine, "connect", _hurry)
        email, password = os.environ["EMAIL"], os.environ["PASSWORD"]
        accounts.register(registry.get(Passwords), email, password, OPERATOR)
        alice, cookie = verify_password(email, password), registry.get(RefreshCookie)
        for _ in range(sessions):
            print(f"{cookie.name}={open_for(alice).refresh_token}")
        db.engine.dispose()


def _hurry(connection: Any, record: Any) -> None:
    """Nothing is lost if the machine stops while the database is being filled."""
    connection.execute("PRAGMA synchronous = OFF")


if __name__ == "__main__":
    fill(int(os.environ["SESSIONS"]))
