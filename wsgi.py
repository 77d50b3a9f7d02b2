"""What gunicorn serves: ``gunicorn --config python:authsvc.gunicorn wsgi:app``."""

import sys

from authsvc import create_app
from authsvc.settings import SettingsInvalid

try:
    app = create_app()
except SettingsInvalid as error:
    print(error, file=sys.stderr)  # noqa: T201
    sys.exit(3)  # the code at which gunicorn gives up, instead of starting workers for ever
