"""The service with one protected route more, which asks no database; and who answered is told.

A route that is registered on the app is protected like its own: the probe is such a route.
"""

import os

from flask import Response

from wsgi import app


@app.get("/probe")
def probe() -> dict[str, str]:
    return {}


@app.after_request
def tell_worker(response: Response) -> Response:
    response.headers["X-Worker"] = str(os.getpid())
    return response
