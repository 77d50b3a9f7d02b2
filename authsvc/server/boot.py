"""Check the settings and the database before the first request."""

import logging
import sys
from collections.abc import Callable

from flask import Flask
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from werkzeug.serving import is_running_from_reloader

from authsvc import create_app
from authsvc.database.boot_checks import require_durable, require_newest
from authsvc.database.errors import DatabaseUnfit
from authsvc.database.serving_lock import hold_while_serving
from authsvc.database.sqlite_files import sqlite_file
from authsvc.database.unpooled import unpooled_engine
from authsvc.factors.encryption import SecretBox
from authsvc.factors.lost_key import is_key_lost
from authsvc.factors.second_factor import Factors
from authsvc.monitoring.log_format import set_log_level
from authsvc.server.mail_thread import start_sender_under_flask_run
from authsvc.settings import Settings, SettingsInvalid
from authsvc.web import registry

GIVE_UP = 3
"""The exit status that makes gunicorn stop instead of starting its workers again and again."""

log = logging.getLogger("authsvc.boot")

_KEY_LOST = (
    "the TOTP secrets in the database cannot be decrypted: the service starts, but it refuses the "
    "codes of authenticator apps, so their owners can log in only by a recovery code or a passkey. "
    "Set AUTHSVC_FACTOR_SECRET, or AUTHSVC_FACTOR_SECRET_PREVIOUS, to the secret that encrypted "
    "them. If it is lost, `authsvc users reset-factors EMAIL` helps one owner"
)


def boot(make_app: Callable[[], Flask] = create_app) -> Flask:
    """Return the app for a WSGI server.

    If the settings or the database are unfit, print one sentence that says what to do, and exit.
    A database that does not answer does not stop the boot: it may return, and /readyz reports it.

    Args:
        make_app: makes it; an operator's own function calls `create_app` and adds to the app.
    """
    try:
        app = make_app()
        with app.app_context():
            set_log_level(registry.get(Settings).log_level)
            box = registry.get(Factors).box
        _check_database(app.config["SQLALCHEMY_DATABASE_URI"], box)
    except (SettingsInvalid, DatabaseUnfit) as error:
        if is_running_from_reloader():  # Flask shows it until a file is changed; 3 means restart
            raise
        print(f"authsvc cannot start: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(GIVE_UP)
    start_sender_under_flask_run(app)
    return app


def _check_database(url: str, box: SecretBox) -> None:
    try:
        newer = require_newest(url)
        require_durable(url)
        with unpooled_engine(url).connect() as connection:
            key_lost = is_key_lost(connection, box)
    except OperationalError as error:
        log.warning(
            "the database %s does not answer (%s): the service starts, and /readyz returns 503 "
            "until it does",
            make_url(url).host or make_url(url).database,
            " ".join(str(error.orig).split()),
        )
    else:
        if newer is not None:
            log.warning(
                "the database is at revision %s, which is newer than this version of authsvc: "
                "the service starts, since migrations only add",
                newer,
            )
        if key_lost:
            log.warning(_KEY_LOST)
    file = sqlite_file(url)
    if file is not None:
        hold_while_serving(file)
