"""The files of docs/deploy/, set up as docs/deploy.md says, in a temporary folder."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

import pytest

from tests.support.nginx_server import Certificate, changed, nginx
from tests.support.running_service import ROOT, free_port, new_database, serving

DEPLOY = ROOT / "docs" / "deploy"
START_SECONDS = 60
HOST = "app.example.com"
PAGE = "<!doctype html><title>The page</title>"


@dataclass(frozen=True)
class Answer:
    """A response that came through nginx."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """The page and the service behind nginx, with the site of docs/deploy/.

    Args:
        port: nginx's for https.
        plain_port: nginx's for http.
        folder: nginx's own, with its logs.
    """

    certificate: Certificate
    port: int
    plain_port: int
    folder: Path

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: Any = None,
        source: str = "127.0.0.1",
    ) -> Answer:
        """Send one request on its own connection from that address; a body is sent as JSON."""
        sent = {"Host": HOST, "Content-Type": "application/json", **(headers or {})}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with self.certificate.connected(self.port, source) as connection:
            connection.request(method, path, data, sent)
            got = connection.getresponse()
            return Answer(got.status, got.headers, got.read())


@contextmanager
def site(folder: Path, service_port: int) -> Iterator[Site]:
    """Run nginx with the documented site, in front of that port."""
    page = folder / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text(PAGE)
    (page / "assets" / "app.js").write_text("export {};")
    own = folder / "nginx"
    own.mkdir()
    running = Site(Certificate.made(folder), free_port(), free_port(), own)
    changes = {
        "listen [::]:80;": "",
        "listen [::]:443 ssl http2;": "",
        "listen 80;": f"listen 127.0.0.1:{running.plain_port};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{running.port} ssl http2;",
        "127.0.0.1:8000": f"127.0.0.1:{service_port}",
        f"/etc/letsencrypt/live/{HOST}/fullchain.pem": str(running.certificate.file),
        f"/etc/letsencrypt/live/{HOST}/privkey.pem": str(running.certificate.key),
        "/srv/app": str(page),
    }
    with nginx(changed((DEPLOY / "nginx.conf").read_text(), changes), own):
        yield running


@pytest.fixture(scope="package")
def deployed(wsgi_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The whole deployment, with a real server on SQLite.

    No issuer is set, so the service takes its own origin from nginx's headers.
    """
    folder = tmp_path_factory.mktemp("deployed")
    url = new_database(folder)
    settings = {"server": wsgi_server, "trusted_proxies": "1", "rate_limit_factor": "100"}
    with (
        serving(url, folder / "output", workers=1, **settings) as service,
        site(folder, service.port) as running,
    ):
        yield running
