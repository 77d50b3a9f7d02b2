"""Device-bound sessions in real Chromium, over TLS, with keys in software: its manual test mode.

This proves the protocol and not the hardware.
"""

import base64
import hashlib
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page

from tests.browser.chromium import find_chromium
from tests.browser.conftest import PASSWORD
from tests.support.gunicorn_server import Service, free_port, new_database, serving
from tests.support.nginx_server import Certificate, nginx
from tests.support.programs import program

MARKER_LIFE = 3
"""Seconds: see short_marker.py."""
LEEWAY = 10
FEATURES = "DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting"
SITE = """
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
    }}
  }}
"""


@dataclass
class Site:
    """The service behind nginx, as browsers reach it."""

    url: str
    certificate: Certificate
    folder: Path
    service: Service

    def spki(self) -> str:
        """Return the hash of the certificate's key, which Chromium is told to accept."""
        command = [program("openssl"), "x509", "-in", self.certificate.file, "-pubkey", "-noout"]
        pem = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        der = base64.b64decode("".join(pem.splitlines()[1:-1]))
        return base64.b64encode(hashlib.sha256(der).digest()).decode()


@contextmanager
def site(folder: Path, **settings: str) -> Iterator[Site]:
    port, upstream = free_port(), free_port()
    certificate = Certificate.made(folder)
    text = SITE.format(
        port=port, upstream=upstream, certificate=certificate.file, key=certificate.key
    )
    (folder / "nginx").mkdir()
    options = {"trusted_proxies": "1", "rate_limit_factor": "100", **settings}
    with (
        nginx(text, folder / "nginx"),
        serving(
            new_database(folder),
            folder / "log",
            port=upstream,
            app="tests.browser.short_marker:app",
            **options,
        ) as service,
    ):
        yield Site(f"https://localhost:{port}", certificate, folder, service)


@pytest.fixture(scope="module")
def bound_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("device"), device_binding="true") as running:
        yield running


@contextmanager
def chromium(browser_type: BrowserType, site: Site, profile: Path) -> Iterator[BrowserContext]:
    flags = ["no-sandbox", "disable-background-networking", "no-first-run", "disable-sync"]
    flags += [f"enable-features={FEATURES}", f"ignore-certificate-errors-spki-list={site.spki()}"]
    context = browser_type.launch_persistent_context(
        profile,
        executable_path=find_chromium(),
        headless=True,
        bypass_csp=True,
        args=[f"--{flag}" for flag in flags],
    )
    yield context
    context.close()


class Browser:
    """A page of the service, and the requests that the browser sends besides."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.context = context
        self.site = site
        self.page: Page = context.new_page()
        self.page.goto(f"{site.url}/docs")

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        script = """async ([path, body]) => {
            const headers = body ? { "Content-Type": "application/json" } : {};
            const options = { method: "POST", headers, body: body && JSON.stringify(body) };
            const response = await fetch(path, options);
            const json = await response.json().catch(() => ({}));
            return { status: response.status, code: json.code };
        }"""
        return cast(dict[str, Any], self.page.evaluate(script, [path, body]))

    def log_in(self, email: str) -> None:
        credentials = {"email": email, "password": PASSWORD}
        assert self.post("/auth/register", credentials)["status"] == 201
        assert self.post("/auth/login", credentials)["status"] == 200
        self.wait_for_marker()

    def marker(self) -> str | None:
        cookies = self.context.cookies(self.site.url)
        return next((cookie["value"] for cookie in cookies if cookie["name"] == MARKER), None)

    def wait_for_marker(self) -> None:
        deadline = time.monotonic() + 10
        while self.marker() is None:
            assert time.monotonic() < deadline, "the browser did not register"
            time.sleep(0.05)


MARKER = "__Host-device"


def test_it(browser_type: BrowserType, bound_site: Site, tmp_path: Path) -> None:
    with chromium(browser_type, bound_site, tmp_path / "profile") as context:
        browser = Browser(context, bound_site)
        browser.log_in("alice@example.com")
        for _ in range(3):
            time.sleep(MARKER_LIFE + 0.2)
            print(browser.post("/auth/refresh"))
        print(bound_site.service.output.read_text()[-3000:])
