"""A proxy that ends TLS in front of the service, optionally with a fault."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from socket import create_connection
from threading import Thread

NUMBERS = count(1)
"""Each proxy is used from an address of its own, because mails are limited for each address."""

Headers = list[tuple[str, str]]


@dataclass
class Request:
    """A request on its way to the service.

    Args:
        headers: the client's headers, without those that only proxies set, and without the length,
            which a fault may change.
        forged: the headers that only proxies set, as the client sent them.
        forwarded: the headers that this proxy sets.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    forged: dict[str, str]
    forwarded: dict[str, str]


@dataclass
class Answer:
    """The answer for the client; with status 0 the connection is closed instead."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def without(self, name: str) -> "Answer":
        kept = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        return Answer(self.status, kept, self.body)

    def with_header(self, name: str, value: str) -> "Answer":
        return Answer(self.status, [*self.headers, (name, value)], self.body)

    def changed(self, name: str, change: Callable[[str], str]) -> "Answer":
        """Return a copy with each header of that name rewritten."""
        headers = [
            (key, change(value) if key.lower() == name.lower() else value)
            for key, value in self.headers
        ]
        return Answer(self.status, headers, self.body)


Forward = Callable[[Request], Answer]
Fault = Callable[[Request, Forward], Answer]


def no_fault(request: Request, forward: Forward) -> Answer:
    return forward(request)


@contextmanager
def front(port: int, certificate: Path | None, fault: Fault = no_fault) -> Iterator[str]:
    """Yield the URL of a proxy before the service on that port; HTTP without a certificate."""
    scheme = "https" if certificate else "http"
    number = next(NUMBERS)
    deployment = {
        "upstream": port,
        "fault": (fault,),
        "scheme": scheme,
        "address": f"127.0.{number // 200}.{number % 200 + 1}",
    }
    handler = type("Handler", (_Handler,), deployment)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.num_tickets = 0  # the doctor resumes no session
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"{scheme}://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    upstream: int
    fault: tuple[Fault]
    scheme: str
    address: str

    def _pass_on(self) -> None:
        request = self._request()
        [fault] = self.fault
        answer = fault(request, self._forward)
        if not answer.status:
            return  # closes the connection
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_DELETE = do_OPTIONS = _pass_on

    def _request(self) -> Request:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        forged = {name: value for name, value in self.headers.items() if _is_proxy_header(name)}
        headers = {name: value for name, value in self.headers.items() if name not in forged}
        headers.pop("Content-Length", None)
        forwarded = {
            "X-Forwarded-For": self.address,
            "X-Forwarded-Proto": self.scheme,
            "X-Forwarded-Host": headers["Host"],
        }
        return Request(self.command, self.path, headers, body, forged, forwarded)

    def _forward(self, request: Request) -> Answer:
        headers = {**request.headers, **request.forwarded, "Connection": "close"}
        if request.body or request.method == "POST":
            headers["Content-Length"] = str(len(request.body))
        lines = [f"{request.method} {request.path} HTTP/1.1", *map(": ".join, headers.items())]
        with create_connection(("127.0.0.1", self.upstream), timeout=15) as wire:
            wire.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + request.body)
            response = b"".join(iter(lambda: wire.recv(65536), b""))
        head, _, body = response.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(": ")[::2] for line in lines]
        return Answer(int(status.split()[1]), pairs, body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def _is_proxy_header(name: str) -> bool:
    return name.lower().startswith(("x-forwarded-", "forwarded", "x-real-"))
