"""A proxy in front of the service that ends TLS; it may have a fault."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

Headers = list[tuple[str, str]]


@dataclass
class Request:
    """A request on its way to the service.

    Args:
        headers: those of the client, without what only proxies may say.
        lies: what the client said in the place of a proxy.
        told: what this proxy tells the service.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    lies: dict[str, str]
    told: dict[str, str]


@dataclass
class Answer:
    """What goes back to the client; nothing does where the status is 0."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def without(self, name: str) -> "Answer":
        kept = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        return Answer(self.status, kept, self.body)

    def bearing(self, name: str, value: str) -> "Answer":
        return Answer(self.status, [*self.headers, (name, value)], self.body)

    def changed(self, name: str, change: Callable[[str], str]) -> "Answer":
        """With each header of that name rewritten."""
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
    """The URL of a proxy before the service on that port; without a certificate it speaks HTTP."""
    scheme = "https" if certificate else "http"
    handler = type("Handler", (_Handler,), {"upstream": port, "fault": (fault,), "scheme": scheme})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
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

    def _pass_on(self) -> None:
        request = self._request()
        [fault] = self.fault
        answer = fault(request, self._forward)
        if not answer.status:
            return  # and so the connection is closed without a word
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
        lies = {name: value for name, value in self.headers.items() if _is_a_proxys(name)}
        headers = {name: value for name, value in self.headers.items() if name not in lies}
        told = {
            "X-Forwarded-For": "127.0.0.1",
            "X-Forwarded-Proto": self.scheme,
            "X-Forwarded-Host": headers["Host"],
        }
        return Request(self.command, self.path, headers, body, lies, told)

    def _forward(self, request: Request) -> Answer:
        with closing(HTTPConnection("127.0.0.1", self.upstream, timeout=15)) as connection:
            headers = {**request.headers, **request.told}
            connection.request(request.method, request.path, request.body or None, headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _is_a_proxys(name: str) -> bool:
    return name.lower().startswith(("x-forwarded-", "forwarded", "x-real-"))
