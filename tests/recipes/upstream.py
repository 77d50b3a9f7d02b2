"""A backend behind the proxies, as careless as WSGI: X_Auth_Subject is X-Auth-Subject."""

import json
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.recipes.listings import APP


class Backend(ThreadingHTTPServer):
    """Answers with the subject and the roles that the headers name.

    `requests` holds, for each request, its X-Auth headers and the size of its body.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[dict[str, str], int]] = []

    def handle_error(self, *about: object) -> None:
        """Say nothing: a proxy may close a connection when it is ended."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*about)


@contextmanager
def backend() -> Iterator[Backend]:
    """Run a backend until the end of the block."""
    with Backend() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Backend

    def do_GET(self) -> None:
        said = self._remember()
        roles = _roles(said.get("x-auth-roles", ""))
        self._answer(json.dumps({"sub": said.get("x-auth-subject"), "roles": roles}))

    do_POST = do_PUT = do_GET

    def do_OPTIONS(self) -> None:
        self._remember()
        self._answer(
            "",
            ("Access-Control-Allow-Methods", "GET, PUT"),
            ("Access-Control-Allow-Headers", "authorization, content-type"),
        )

    def _remember(self) -> dict[str, str]:
        said: dict[str, str] = {}
        for name, value in self.headers.items():
            name = name.lower().replace("_", "-")
            if name.startswith("x-auth"):
                said[name] = f"{said[name]},{value}" if name in said else value
        size = len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.server.requests.append((said, size))
        return said

    def _answer(self, text: str, *headers: tuple[str, str]) -> None:
        self.send_response(200)
        always = ("Content-Length", str(len(text))), ("Access-Control-Allow-Origin", APP)
        for name, value in (*always, *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *about: object) -> None:
        """Say nothing."""


def _roles(text: str) -> list[str]:
    """Return the roles, which Envoy's jwt_authn writes as JSON in base64url."""
    if text.startswith("W"):
        return list(json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    return text.split()
