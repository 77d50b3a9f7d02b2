"""An issuer whose JWKS another service fetches: right, wrong, slow or down."""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

from authsvc import clock
from authsvc.roles import Roles
from authsvc.tokens.access import AccessTokens, access_keyring
from authsvc.tokens.claims import Audience
from authsvc.tokens.keyring import Key
from tests.support.running_service import free_port

ISSUER = "https://auth.example.com"


class Issuer:
    """Publishes keys, records each fetch, and signs tokens.

    Args:
        keys: the keys that it publishes.
    """

    def __init__(self, *keys: Key) -> None:
        self.status, self.headers = 200, {}
        self.body = b""
        self.asked: list[str] = []
        self.accepted: list[str | None] = []
        self.may_answer = Event()
        self.may_answer.set()
        self.write: Callable[[Any, bytes], object] = lambda file, body: file.write(body)
        self.port = free_port()
        self.publish(*keys)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/.well-known/jwks.json"

    def publish(self, *keys: Key) -> None:
        self.body = json.dumps({"keys": [dict(key.jwk or {}) for key in keys]}).encode()

    @contextmanager
    def answering(self, certificate: Path | None = None) -> Iterator[None]:
        """Respond within the block: over HTTPS if a certificate is given."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.accepted.append(self.headers["Accept"])
                issuer.asked.append(self.path)
                issuer.may_answer.wait(10)
                self.send_response(issuer.status)
                for name, value in issuer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                issuer.write(self.wfile, issuer.body)

            def log_message(self, *about: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def token_by(
    key: Key,
    *,
    issuer: str = ISSUER,
    aud: Audience = ISSUER,
    ttl: int = 600,
    roles: Roles = (),
    extra_json: str = "",
) -> str:
    """Return an access token that the key has just signed."""
    now = clock.now()
    ends = now + timedelta(days=7)
    tokens = AccessTokens(access_keyring(key), issuer, aud, ttl)
    ids = {"sub": uuid4(), "sid": uuid4()}
    times = {"auth_time": now, "session_ends": ends, "now": now}
    return tokens.issue(**ids, **times, roles=roles, extra_json=extra_json).access_token
