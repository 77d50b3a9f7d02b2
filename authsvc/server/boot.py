"""What must hold before the first request: the settings are valid, and the database is fit."""

import sys
from contextlib import suppress

from flask import Flask
from sqlalchemy.exc import OperationalError

from authsvc.app import create_app
from authsvc.database import schema
from authsvc.settings import SettingsInvalid

GIVE_UP = 3
"""The exit status at which gunicorn stops, instead of starting workers again and again."""


def boot() -> Flask:
    """Return the app that a WSGI server serves.

    Where it cannot be served, print one sentence that says what to do and exit. A database that
    is away may come back, so it does not stop the boot: /readyz says whether it is there.
    """
    try:
        app = create_app()
        with suppress(OperationalError):
            schema.require_newest(app.config["SQLALCHEMY_DATABASE_URI"])
            schema.require_durable(app.config["SQLALCHEMY_DATABASE_URI"])
    except (SettingsInvalid, schema.DatabaseUnfit) as error:
        print(f"authsvc cannot start: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(GIVE_UP)
    return app
