"""The service with a protected route that needs no database, a worker header, and cheap hashes.

A route that is registered on the app is protected like its own routes: the probe is one.
"""

import os

from flask import Response

from tests.support.cheap_hashes import app


@app.get("/probe")
def probe() -> dict[str, str]:
    return {}


@app.after_request
def name_worker(response: Response) -> Response:
    response.headers["X-Worker"] = str(os.getpid())
    return response
