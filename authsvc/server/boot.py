"""Check the settings and the database before the first request."""

import sys
from contextlib import suppress

from flask import Flask
from sqlalchemy.exc import OperationalError

from authsvc.app import create_app
from authsvc.database import boot_checks
from authsvc.monitoring.log_format import set_log_level
from authsvc.settings import Settings, SettingsInvalid
from authsvc.web import registry

GIVE_UP = 3
"""The exit status that makes gunicorn stop instead of starting its workers again and again."""


def boot() -> Flask:
    """Return the app for a WSGI server.

    If the settings or the database are unfit, print one sentence that says what to do, and exit.
    A database that does not answer does not stop the boot: it may return, and /readyz reports it.
    """
    try:
        app = create_app()
        with app.app_context():
            set_log_level(registry.get(Settings).log_level)
        with suppress(OperationalError):
            boot_checks.require_newest(app.config["SQLALCHEMY_DATABASE_URI"])
            boot_checks.require_durable(app.config["SQLALCHEMY_DATABASE_URI"])
    except (SettingsInvalid, boot_checks.DatabaseUnfit) as error:
        print(f"authsvc cannot start: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(GIVE_UP)
    return app
