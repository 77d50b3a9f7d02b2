"""A page of the demo on a service with mail, for the states that demo_states.py lists."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.phone import Phone
from tests.support.running_service import CHEAP_HASHES, Service, free_port, new_database, serving
from tests.support.signing_secrets import FACTOR_SECRET

PASSWORD = "a horse that is correct"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
DEVICES = {
    "curl/8.11.0": ("198.51.100.7", 50),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0": (
        "2001:db8:4f:12::9a3",
        26,
    ),
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {WEBKIT} Version/18.1 Mobile/15E148 "
    "Safari/604.1": ("203.0.113.24", 3),
}
"""User agents, each with its network address and the hours since its last use."""

_numbers = count(1)


def let_logins_be_old(database: Path) -> None:
    """Let each session have been opened or confirmed an hour ago."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE refresh_tokens SET authenticated_at = datetime(authenticated_at, '-1 hour')"
        )


@dataclass
class Stage:
    """A page on a service, and the database behind it.

    Args:
        page: in a browser profile of its own.
        service: what it talks to.
        database: the SQLite file of that service.
        history: how much the timeline shows, in lives of an access token.
        account: the one that was logged in last.
        phone: of the page's person.
    """

    page: Page
    service: Service
    database: Path
    history: float = 0.1
    account: dict[str, str] = field(default_factory=dict)
    phone: Phone = field(init=False)

    def __post_init__(self) -> None:
        self.phone = Phone(self.page)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        """Send a request as another client; return the status and the body."""
        sent = {"Content-Type": "application/json", **headers}
        with self.service.connected() as connection:
            connection.request(method, path, json.dumps(body), sent)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def new_account(self, email: str = "") -> dict[str, str]:
        number = next(_numbers)
        account = {"email": email or f"alice{number}@example.com", "password": PASSWORD}
        address = {"X-Forwarded-For": f"192.0.2.{number}"}  # registrations are limited by address
        status, text = self.call("POST", "/auth/register", account, **address)
        assert status in (201, 409), text
        return account

    def open(self) -> None:
        self.page.goto(f"{self.service.url}/demo")
        expect(self.page.locator("#pill")).not_to_have_text("Checking")

    def log_in(self, account: dict[str, str]) -> None:
        self.open()
        self.page.get_by_role("button", name="Log in", exact=True).click()
        self.enter(account)

    def enter(self, account: dict[str, str]) -> None:
        """Fill in the form of a login, which the page shows, and send it."""
        self.account = account
        self.page.locator("#email").fill(account["email"])
        self.page.locator("#password").fill(account["password"])
        self.page.locator("#login button.primary").click()
        expect(self.page.locator("#person-title")).to_have_text(account["email"])
        expect(self.page.locator("#sessions li").first).to_be_visible()

    def log_in_elsewhere(self, account: dict[str, str]) -> None:
        """Log in on three other devices, some hours ago."""
        for agent, (address, hours) in DEVICES.items():
            headers = {"User-Agent": agent, "X-Forwarded-For": address}
            status, text = self.call("POST", "/auth/login", account, **headers)
            assert status == 200, text
            with closing(sqlite3.connect(self.database)) as connection, connection:
                connection.execute(
                    "UPDATE refresh_tokens SET last_used_at = datetime(last_used_at, ?1), "
                    "issued_at = datetime(issued_at, ?2), expires_at = datetime(expires_at, ?2) "
                    "WHERE ip_address = ?3",
                    (f"-{hours} hours", f"-{hours + 20} hours", address),
                )

    def open_mail(self, account: dict[str, str]) -> None:
        """Open the newest mail to that account in the inbox, as soon as it is there."""
        self.page.goto(f"{self.service.url}/demo/inbox")
        self.page.locator("#mails a", has_text=account["email"]).first.click()
        expect(self.page.locator("#headers")).to_contain_text(account["email"])
        expect(self.page.frame_locator("#html").locator("a").first).to_be_visible()

    def open_link(self, account: dict[str, str]) -> None:
        """Open the link of the newest mail to that account."""
        self.open_mail(account)
        self.follow_link()

    def follow_link(self) -> None:
        """Open the link of the mail that the page shows."""
        self.page.frame_locator("#html").locator("a").first.click()
        expect(self.page.locator("main.narrow")).to_be_visible()

    def let_time_pass(self, seconds: int, step: int) -> None:
        """Move the clock of the page on, in steps in which no request runs out of time."""
        under_way: set[Request] = set()
        self.page.on("request", lambda request: under_way.add(request))
        self.page.on("requestfinished", lambda request: under_way.discard(request))
        for _ in range(seconds // step):
            self.page.clock.run_for(step * 1_000)
            while under_way:
                self.page.wait_for_timeout(10)


State = Callable[[Stage], object]
"""What brings the page into a state, which has its name."""
Story = tuple[State, ...]


@contextmanager
def mailing(folder: Path, **settings: str) -> Iterator[Service]:
    """Run the service as `make run` does: its mails are files in `folder`/mail."""
    port = free_port()
    given = {
        "demo": "true",
        "factor_secret": FACTOR_SECRET.hex(),
        "mail_url": f"file://{folder / 'mail'}",
        "mail_from": "authsvc <no-reply@example.com>",
        "app_url": f"http://localhost:{port}/demo",
        **settings,
    }
    url, log = new_database(folder), folder / "log"
    with serving(url, log, workers=1, port=port, app=CHEAP_HASHES, **given) as running:
        yield running


@contextmanager
def demo_service(folder: Path, **settings: str) -> Iterator[tuple[Service, Path]]:
    """Run the service with its default life of access tokens and its default limits."""
    with mailing(folder, trusted_proxies="1", **settings) as running:
        yield running, folder / "authsvc.db"


@contextmanager
def staged(
    browser: Browser, service: Service, database: Path, history: float = 0.1
) -> Iterator[Stage]:
    """Open a page in a browser profile of its own."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, reduced_motion="reduce", locale="en-GB"
    )
    yield Stage(context.new_page(), service, database, history)
    context.close()
