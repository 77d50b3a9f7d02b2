"""The CPU time of a function, and of a request to a WSGI application."""

import time
from collections.abc import Callable
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

BATCHES = 7
CALLS = 1000
"""In a batch, of what does not commit."""

Rows = list[tuple[str, float]]
"""The name of a part, and the microseconds that it costs."""


def microseconds(call: Callable[[], object], times: int | None = None) -> float:
    """Return the CPU microseconds of a call: the minimum of some batches, which nothing slowed."""
    times = times or CALLS
    call()
    minimum = float("inf")
    for _ in range(BATCHES):
        began = time.process_time()
        for _ in range(times):
            call()
        minimum = min(minimum, time.process_time() - began)
    return minimum / times * 1e6


def request(
    wsgi: Any, method: str, path: str, sent: dict[str, str] | None = None, body: bytes = b""
) -> Callable[[], None]:
    """Return a function that calls a WSGI application with a request, as a server does.

    Args:
        wsgi: the application.
        method, path: of the request.
        sent: added to its WSGI environment.
        body: JSON.
    """
    common: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, **(sent or {})}
    setup_testing_defaults(common)
    common |= {"REMOTE_ADDR": "127.0.0.1", "authsvc.request_id": "0123456789abcdef"}
    if body:
        common |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    statuses: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        statuses.append(status)

    def call() -> None:
        response = wsgi(common | {"wsgi.input": BytesIO(body)}, start)
        b"".join(response)
        response.close()
        assert statuses.pop().startswith("2"), path

    return call
