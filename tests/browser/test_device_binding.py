"""Device-bound sessions in real Chromium, over TLS, with keys in software: its manual test mode.

This proves the protocol and not the hardware.
"""

import base64
import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page

from tests.browser.chromium import NO_SUGGESTIONS, find_chromium
from tests.browser.conftest import PASSWORD
from tests.support.nginx_server import Certificate, nginx
from tests.support.programs import program
from tests.support.running_service import Service, free_port, new_database, serving

NewProfile = Callable[[], BrowserContext]

MARKER_LIFE = LEEWAY = 3
"""Seconds: see short_marker.py."""
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
    settings: dict[str, str]

    def stop(self) -> None:
        self.service.kill()

    @contextmanager
    def again(self) -> Iterator[None]:
        """Start the service again, on the same database and port, until the end of the block."""
        with started(self.folder, self.service.port, self.settings):
            yield

    @cached_property
    def spki(self) -> str:
        """Return the hash of the certificate's key, which Chromium accepts by a flag."""
        command = [program("openssl"), "x509", "-in", self.certificate.file, "-pubkey", "-noout"]
        pem = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        der = base64.b64decode("".join(pem.splitlines()[1:-1]))
        return base64.b64encode(hashlib.sha256(der).digest()).decode()


def started(folder: Path, port: int, settings: dict[str, str]) -> AbstractContextManager[Service]:
    database = f"sqlite:///{folder / 'authsvc.db'}"
    app = "tests.browser.short_marker:app"
    return serving(database, folder / "log", workers=1, port=port, app=app, **settings)


@contextmanager
def site(folder: Path, **settings: str) -> Iterator[Site]:
    port, upstream = free_port(), free_port()
    certificate = Certificate.made(folder)
    text = SITE.format(
        port=port, upstream=upstream, certificate=certificate.file, key=certificate.key
    )
    (folder / "nginx").mkdir()
    options = {"trusted_proxies": "1", "rate_limit_factor": "100", **settings}
    new_database(folder)
    with nginx(text, folder / "nginx"), started(folder, upstream, options) as service:
        yield Site(f"https://localhost:{port}", certificate, folder, service, options)


@pytest.fixture(scope="module")
def bound_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("device"), device_binding="true") as running:
        yield running


def launch_args(site: Site, features: str = FEATURES) -> dict[str, Any]:
    flags = ["no-sandbox", "disable-background-networking", "no-first-run", "disable-sync"]
    flags.append(NO_SUGGESTIONS)
    flags += [f"enable-features={features}", f"ignore-certificate-errors-spki-list={site.spki}"]
    return {"executable_path": find_chromium(), "args": [f"--{flag}" for flag in flags]}


@contextmanager
def chromium(
    browser_type: BrowserType, site: Site, profile: Path, features: str = FEATURES
) -> Iterator[BrowserContext]:
    """Run a browser of its own on a profile that outlives it."""
    with browser_type.launch_persistent_context(
        profile, bypass_csp=True, **launch_args(site, features)
    ) as context:
        yield context


@pytest.fixture(scope="module")
def new_profile(browser_type: BrowserType, bound_site: Site) -> Iterator[NewProfile]:
    """A function that makes a new profile of one running browser: with keys of its own."""
    with browser_type.launch(**launch_args(bound_site)) as running:
        yield lambda: running.new_context(bypass_csp=True)


MARKER = "__Host-device"
REFRESH = "/auth/refresh"


class Browser:
    """A page of the service, and the requests that the browser sends besides."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.context = context
        self.site = site
        self.page: Page = context.new_page()
        self.page.goto(f"{site.url}/healthz")

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
        return self.cookies().get(MARKER)

    def cookies(self) -> dict[str, str]:
        return {one["name"]: one["value"] for one in self.context.cookies(self.site.url)}

    def drop_marker(self) -> None:
        """Remove the marker, as its expiry does."""
        self.context.clear_cookies(name=MARKER)

    def refresh(self) -> int:
        return cast(int, self.post(REFRESH)["status"])

    def wait_for_marker(self) -> None:
        deadline = time.monotonic() + 10
        while self.marker() is None:
            assert time.monotonic() < deadline, "the browser did not register"
            time.sleep(0.05)


@dataclass
class Thief:
    """A copy of a browser's cookies, used by a program on another machine."""

    site: Site
    cookies: dict[str, str]

    def refresh(self) -> tuple[int, str | None]:
        """Return the status of a refresh, and the code of its problem."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        port = int(self.site.url.rpartition(":")[2])
        with self.site.certificate.connected(port) as connection:
            connection.request("POST", REFRESH, headers={"Cookie": cookie})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()).get("code")


@pytest.fixture(scope="module")
def browser(new_profile: NewProfile, bound_site: Site) -> Iterator[Browser]:
    """A browser with one login for the tests that do not end it: Chromium limits how often the key
    of a site signs, registrations included.
    """
    with new_profile() as context:
        browser = Browser(context, bound_site)
        browser.log_in("alice@example.com")
        yield browser


@pytest.fixture
def other(new_profile: NewProfile, bound_site: Site, email: str) -> Iterator[Browser]:
    """A browser of its own, with a login."""
    with new_profile() as context:
        browser = Browser(context, bound_site)
        browser.log_in(email)
        yield browser


def requests_of(site: Site, since: int, path: str) -> list[int]:
    """Return the statuses of the requests for a path in the log, after its first lines."""
    lines = map(json.loads, site.service.log().splitlines()[since:])
    return [line["status"] for line in lines if line.get("path") == path]


def length(site: Site) -> int:
    return len(site.service.log().splitlines())


def test_a_login_binds_the_session_to_the_device(browser: Browser) -> None:
    script = """async () => {
        const response = await fetch("/auth/refresh", { method: "POST" });
        const headers = { Authorization: `Bearer ${(await response.json()).access_token}` };
        return (await (await fetch("/api/me/sessions", { headers })).json()).sessions;
    }"""
    [session] = browser.page.evaluate(script)
    assert session["bound"] == "device"


def test_the_browser_renews_a_marker_that_has_expired(browser: Browser) -> None:
    time.sleep(MARKER_LIFE + 0.5)  # the browser's own clock decides
    assert browser.marker() is None
    assert browser.refresh() == 200
    assert browser.marker() is not None


def test_twelve_renewals_in_a_row_stay_within_the_quota_of_the_browser(browser: Browser) -> None:
    for _ in range(12):
        browser.drop_marker()
        assert browser.refresh() == 200


def test_three_refreshes_at_once_share_a_renewal(browser: Browser, bound_site: Site) -> None:
    browser.drop_marker()
    start = length(bound_site)
    script = """() => Promise.all([1, 2, 3].map(async () =>
        (await fetch("/auth/refresh", { method: "POST" })).status))"""
    assert browser.page.evaluate(script) == [200] * 3
    renewals = requests_of(bound_site, start, "/auth/device/refresh")
    assert renewals[:2] == [403, 200]
    # A marker of three seconds expires soon, so Chromium may renew it again beside the refreshes.
    assert len(renewals) <= 4


def test_other_requests_do_not_wait_for_the_marker(browser: Browser, bound_site: Site) -> None:
    browser.drop_marker()
    start = length(bound_site)
    browser.page.evaluate("() => fetch('/api/me')")
    assert requests_of(bound_site, start, "/auth/device/refresh") == []


def test_the_thief_of_the_whole_cookie_jar_is_out_within_one_life_of_the_marker(
    browser: Browser, bound_site: Site
) -> None:
    browser.drop_marker()
    assert browser.refresh() == 200
    thief = Thief(bound_site, browser.cookies())
    assert thief.refresh() == (200, None)
    time.sleep(MARKER_LIFE + LEEWAY + 1)  # the deadline is what is tested
    assert thief.refresh() == (401, "device_proof_missing")
    assert [browser.refresh() for _ in range(3)] == [200] * 3


def test_after_a_logout_the_browser_asks_at_most_once_more(
    other: Browser, bound_site: Site
) -> None:
    assert other.post("/auth/logout")["status"] == 204
    other.drop_marker()
    start = length(bound_site)
    for _ in range(3):
        assert other.refresh() == 401
    renewals = requests_of(bound_site, start, "/auth/device/refresh")
    assert renewals in ([], [401])


def test_a_browser_that_has_lost_its_key_registers_anew_with_the_password(
    other: Browser, new_profile: NewProfile, bound_site: Site
) -> None:
    other.drop_marker()
    cookies = cast(Any, other.context.cookies(bound_site.url))
    with new_profile() as context:
        context.add_cookies(cookies)
        copy = Browser(context, bound_site)
        assert copy.post(REFRESH) == {"status": 401, "code": "device_proof_missing"}
        assert copy.post("/auth/reauthenticate", {"password": PASSWORD})["status"] == 200
        copy.wait_for_marker()
        assert copy.refresh() == 200
    assert other.refresh() == 401


def test_a_browser_without_device_binding_has_an_unbound_session(
    browser_type: BrowserType, bound_site: Site, tmp_path: Path
) -> None:
    with chromium(browser_type, bound_site, tmp_path / "plain", features="") as context:
        plain = Browser(context, bound_site)
        credentials = {"email": "plain@example.com", "password": PASSWORD}
        assert plain.post("/auth/register", credentials)["status"] == 201
        assert plain.post("/auth/login", credentials)["status"] == 200
        assert plain.refresh() == 200
        assert plain.marker() is None


def test_restarts_of_browser_and_service_and_a_service_that_is_away_keep_the_session(
    browser_type: BrowserType, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    with site(folder, device_binding="true") as running:
        with chromium(browser_type, running, tmp_path / "profile") as context:
            browser = Browser(context, running)
            browser.log_in("alice@example.com")
        with chromium(browser_type, running, tmp_path / "profile") as context:
            browser = Browser(context, running)
            browser.drop_marker()
            assert browser.refresh() == 200
            running.stop()
            browser.drop_marker()
            assert browser.refresh() in (502, 503)
            with running.again():
                deadline = time.monotonic() + 60
                while browser.refresh() != 200:
                    assert time.monotonic() < deadline
                    time.sleep(0.5)
                browser.drop_marker()
                assert browser.refresh() == 200


def test_after_a_second_login_the_browser_renews_the_new_session_alone(
    new_profile: NewProfile, bound_site: Site
) -> None:
    with new_profile() as context:
        browser = Browser(context, bound_site)
        browser.log_in("carol@example.com")
        browser.drop_marker()
        browser.log_in("dave@example.com")
        start = length(bound_site)
        for _ in range(3):
            browser.drop_marker()
            assert browser.refresh() == 200
        renewals = requests_of(bound_site, start, "/auth/device/refresh")
        assert renewals.count(401) == 1  # the old session is asked for once
        assert 403 in renewals
