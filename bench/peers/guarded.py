"""The service whole, with a user's own protected route that answers what bare Flask answers.

Run as a program it fills its database, and prints the cookie of each session, one a line.
"""

import os
from typing import Any

from flask import Flask
from sqlalchemy import event

from authsvc import create_app, schema
from authsvc.components import component
from authsvc.database import db
from authsvc.guard.refresh_cookie import cookie_name
from authsvc.sessions.lifecycle import Device, Sessions
from authsvc.settings import Settings
from authsvc.users import accounts, authentication
from bench.peers.bare import things


def guarded() -> Flask:
    app = create_app()
    app.add_url_rule("/api/things", view_func=things)
    return app


def fill(sessions: int) -> None:
    """Open so many sessions for Alice, and print the cookie of each."""
    schema.upgrade(os.environ["AUTHSVC_DATABASE_URL"])
    app = create_app()
    with app.app_context():
        event.listen(db.engine, "connect", _hurry)
        accounts.register(os.environ["EMAIL"], os.environ["PASSWORD"])
        alice = authentication.authenticate(os.environ["EMAIL"], os.environ["PASSWORD"])
        for _ in range(sessions):
            opened = component(Sessions).open(alice, Device("bench", "127.0.0.1"), [])
            print(f"{cookie_name(component(Settings))}={opened.refresh_token}")
        db.engine.dispose()


def _hurry(connection: Any, record: Any) -> None:
    """Nothing is lost if the machine stops while the database is being filled."""
    connection.execute("PRAGMA synchronous = OFF")


if __name__ == "__main__":
    fill(int(os.environ["SESSIONS"]))
