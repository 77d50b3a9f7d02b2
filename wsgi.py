"""What gunicorn serves: ``gunicorn --config python:authsvc.gunicorn wsgi:app``."""

import sys
from contextlib import suppress

from sqlalchemy.exc import OperationalError

from authsvc import create_app, schema
from authsvc.settings import SettingsInvalid

try:
    app = create_app()
    with suppress(OperationalError):  # a database that is away may come back: /readyz tells
        schema.require_newest(app.config["SQLALCHEMY_DATABASE_URI"])
        schema.require_durable(app.config["SQLALCHEMY_DATABASE_URI"])
except (SettingsInvalid, schema.DatabaseUnfit) as error:
    print(f"authsvc cannot start: {error}", file=sys.stderr)  # noqa: T201
    sys.exit(3)  # the code at which gunicorn gives up, instead of starting workers for ever
