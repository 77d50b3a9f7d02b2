"""Serve the Python recipes on five ports, in the order of main's arguments.

A process of its own, in the folder of the listings: Django has settings for a whole process, and
what these packages warn about is not ours.
"""

import os
import sys
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import uvicorn
from django.core.wsgi import get_wsgi_application


class Silent(WSGIRequestHandler):
    def log_message(self, *about: object) -> None:
        """Say nothing."""


def main(fastapi: int, django: int, flask: int, with_keys: int, extended: int) -> None:
    sys.path.insert(0, str(Path.cwd()))
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    import fastapi_notes
    import flask_jwt_extended_notes
    import flask_jwt_extended_with_keys
    import flask_notes

    apps = {
        django: get_wsgi_application(),
        flask: flask_notes.app,
        with_keys: flask_jwt_extended_with_keys.app,
        extended: flask_jwt_extended_notes.app,
    }
    for port, app in apps.items():
        server = make_server("127.0.0.1", port, app, handler_class=Silent)
        Thread(target=server.serve_forever, daemon=True).start()
    uvicorn.run(fastapi_notes.app, host="127.0.0.1", port=fastapi, log_level="warning")


if __name__ == "__main__":
    main(*(int(port) for port in sys.argv[1:]))
