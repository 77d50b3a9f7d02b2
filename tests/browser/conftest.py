"""Chromium, the service with its demo, and pages of other origins that talk to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.chromium import find_chromium, find_headless_shell
from tests.support.running_service import CHEAP_HASHES, Service, free_port, new_database, serving
from tests.support.signing_secrets import FACTOR_SECRET

TTL = 3
PASSWORD = "a horse that is correct"
_numbers = count(1)

collect_ignore_glob = [] if find_chromium() else ["test_*.py"]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    flags = "no-sandbox disable-background-networking disable-component-update disable-sync"
    return {
        "executable_path": find_headless_shell(),
        "args": [f"--{flag}" for flag in [*flags.split(), "no-first-run"]],
    }


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """Reduce motion: these tests do not need the timeline twenty times a second."""
    return {"reduced_motion": "reduce"}


class Blank(BaseHTTPRequestHandler):
    """An empty page, on which a test runs a page's script, and the scripts of its workers."""

    scripts: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        script = self.scripts.get(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.end_headers()
        self.wfile.write((script or "<!doctype html><title>Another site</title>").encode())

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@contextmanager
def blank_pages() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Blank)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def spa() -> Iterator[str]:
    """Yield the origin of a single-page app that the service allows."""
    with blank_pages() as port:
        yield f"http://localhost:{port}"


@pytest.fixture(scope="session")
def stranger() -> Iterator[int]:
    """Yield the port of a page that the service does not allow."""
    with blank_pages() as port:
        yield port


@pytest.fixture(scope="session")
def service(
    wsgi_server: str, tmp_path_factory: pytest.TempPathFactory, spa: str
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("browser")
    url = new_database(folder)
    settings = {
        "server": wsgi_server,
        "demo": "true",
        "access_token_ttl": str(TTL),
        "rate_limit_factor": "100",
        "factor_secret": FACTOR_SECRET.hex(),
    }
    with serving(url, folder / "log", app=CHEAP_HASHES, allowed_origins=spa, **settings) as running:
        yield running


@pytest.fixture(scope="session")
def database_file(service: Service) -> Path:
    return service.output.with_name("authsvc.db")


@pytest.fixture(scope="session")
def base_url(service: Service) -> str:
    return service.url


@pytest.fixture
def email() -> str:
    return f"alice{next(_numbers)}@example.com"


class Demo:
    """The demo page in one tab, operated as a person does."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.faults: list[str] = []
        self.refreshes = page.locator("#log tr", has_text="/auth/refresh")
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.goto(f"{url}/demo")
        expect(page.locator("#log tr")).not_to_have_count(0)

    def enter(self, email: str, button: str = "Create account", password: str = PASSWORD) -> None:
        """Log in, or create an account, which also logs in."""
        self.fill(email, button, password)
        self.is_logged_in(email)

    def fill(self, email: str, button: str, password: str) -> None:
        id = {"Create account": "register", "Log in": "login"}[button]
        expect(self.page.locator("#entrance")).to_be_visible()
        if not self.page.locator(f"#{id}").is_visible():
            self.page.locator(f"[data-shows={id}]").locator("visible=true").click()
        form = self.page.locator(f"#{id}")
        form.locator("[name=email]").fill(email)
        form.locator("[name=password]").fill(password)
        form.get_by_role("button", name=button, exact=True).click()

    def click(self, name: str, role: Any = "button") -> None:
        self.page.get_by_role(role, name=name, exact=True).locator("visible=true").click()

    def log_out(self) -> None:
        self.click("Log out here")
        self.is_logged_out()

    def is_logged_in(self, email: str) -> None:
        expect(self.page.locator("#person-title")).to_have_text(email)

    def is_logged_out(self) -> None:
        expect(self.page.locator("#entrance")).to_be_visible()

    def is_bound(self) -> None:
        """Expect that the page says that the session is bound, in each place."""
        expect(self.page.locator("#key")).to_have_text("Bound to this browser")
        expect(self.page.locator("#bound")).to_be_visible()
        session = self.page.locator("#sessions li", has_text="this one")
        expect(session).to_contain_text("Bound to a key of its browser.")

    def ask(self, answer: int) -> None:
        """Send a request to a protected route, and expect its status in the table."""
        with self.page.expect_response(
            lambda got: got.url.endswith("/api/me") and got.status == answer, timeout=15_000
        ):
            self.page.get_by_role("button", name="Send a request").click()

    def wait_until_the_token_has_expired(self) -> None:
        self.page.locator("#keep").uncheck()
        expect(self.page.locator("#memory")).to_contain_text("expired", timeout=8_000)

    def let_the_token_expire(self) -> None:
        """Move the page's clock on, where `movable_clock` is used."""
        self.page.locator("#keep").uncheck()
        self.page.clock.fast_forward(TTL * 1_000)
        expect(self.page.locator("#memory")).to_contain_text("expired")


@pytest.fixture
def movable_clock(page: Page) -> None:
    """The clock of all pages of this browser profile can be moved; otherwise it runs as usual."""
    page.clock.install()


@pytest.fixture
def demo(page: Page, service: Service) -> Iterator[Demo]:
    opened = Demo(page, service.url)
    yield opened
    assert opened.faults == []


@pytest.fixture
def other_device(
    browser: Browser, browser_context_args: dict[str, Any]
) -> Iterator[BrowserContext]:
    context = browser.new_context(**browser_context_args)
    yield context
    context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    script = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
    assert script.is_file(), "run `npm ci` in tests/browser, or `make test`"
    return script.read_text()
