"""The states of the demo pages: what is tested is also what is photographed."""

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import jwt
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.support.gunicorn_server import Service, free_port, new_database, serving
from tests.support.signing_secrets import ACCESS_SECRET

PASSWORD = "a horse that is correct"
LONG = f"{'a-very-long-name-' * 3}of-alice@{'a-department.' * 8}example.com"
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


def let_login_be_old(page: Page) -> None:
    """Reload the page, which then gets access tokens of a session that was opened an hour ago."""

    def age(route: Route) -> None:
        response = route.fetch()
        body = response.json()
        token = body["access_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        claims["auth_time"] -= 3600
        headers = jwt.get_unverified_header(token)
        older = jwt.encode(claims, ACCESS_SECRET, "HS256", headers)
        route.fulfill(response=response, json={**body, "access_token": older})

    page.route("**/auth/refresh", age)
    page.reload()


@dataclass
class Stage:
    """A page on a service, and the database behind it.

    Args:
        page: in a browser profile of its own.
        service: what it talks to.
        database: the SQLite file of that service.
        history: how much the timeline shows, in lives of an access token.
    """

    page: Page
    service: Service
    database: Path
    history: float = 0.1

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


def first_visit(stage: Stage) -> None:
    stage.open()


def form_errors(stage: Stage) -> None:
    stage.open()
    stage.page.locator("#register-email").fill("alice")
    stage.page.locator("#register-password").fill("horse")
    stage.page.get_by_role("button", name="Create account").click()
    expect(stage.page.locator("#register-password-fault")).not_to_be_empty()


def logged_in(stage: Stage) -> None:
    account = stage.new_account()
    with closing(sqlite3.connect(stage.database)) as connection, connection:
        connection.execute("UPDATE users SET email_verified_at = created_at")
    stage.log_in_elsewhere(account)
    stage.page.clock.install()
    stage.log_in(account)
    life = int(stage.page.locator("#timeline").get_attribute("data-life") or 0)
    step = min(5, life // 30)
    for share in (0.3, 0.4):
        stage.let_time_pass(int(life * stage.history * share), step)
        stage.page.get_by_role("button", name="Send ten at once").click()
        expect(stage.page.locator("#timeline .count").last).to_have_text(re.compile(r"^1\d$"))
    stage.let_time_pass(int(life * stage.history * 0.3), step)
    stage.page.get_by_role("button", name="Who am I?").click()
    stage.page.get_by_role("button", name="Look again").click()
    expect(stage.page.locator("#me dt").first).to_be_visible()
    stage.page.get_by_text("Delete the account").click()


def logged_out(stage: Stage) -> None:
    stage.log_in(stage.new_account())
    stage.page.get_by_role("button", name="Log out here").click()
    expect(stage.page.locator("#entrance-notice")).to_contain_text("logged out")


def rate_limited(stage: Stage) -> None:
    account = stage.new_account()
    for _ in range(10):
        stage.call("POST", "/auth/login", {**account, "password": "wrong"})
    stage.open()
    stage.page.get_by_role("button", name="Log in", exact=True).click()
    stage.page.locator("#email").fill(account["email"])
    stage.page.locator("#password").fill(PASSWORD)
    stage.page.locator("#login button.primary").click()
    expect(stage.page.locator("#login-error")).to_contain_text("Try again in 15 minutes")


def offline(stage: Stage) -> None:
    stage.log_in(stage.new_account())
    stage.page.context.set_offline(True)
    stage.page.get_by_role("button", name="Send a request").click()
    expect(stage.page.locator("#log .lost").first).to_be_visible()
    expect(stage.page.locator("#connection")).to_contain_text("No connection")


def unreachable_at_load(stage: Stage) -> None:
    stage.page.clock.install()
    stage.page.route("**/auth/refresh", lambda route: route.abort())
    stage.page.goto(f"{stage.service.url}/demo")
    for _ in range(30):  # the client tries some times, with pauses
        stage.page.clock.run_for(1_000)
    expect(stage.page.locator("#retry")).to_be_visible()


def ended_elsewhere(stage: Stage) -> None:
    account = stage.new_account()
    stage.log_in(account)
    _, text = stage.call("POST", "/auth/login", account)
    bearer = {"Authorization": f"Bearer {json.loads(text)['access_token']}"}
    assert stage.call("DELETE", "/api/me/sessions", **bearer)[0] == 204
    deadline = time.monotonic() + 10
    while stage.call("GET", "/api/me", **bearer)[0] != 401:  # the worker learns of it in a second
        assert time.monotonic() < deadline
    stage.page.get_by_role("button", name="Look again").click()
    expect(stage.page.locator("#entrance-notice")).to_contain_text("Your session has ended")


def long_address(stage: Stage) -> None:
    stage.log_in(stage.new_account(LONG))


def password_changed(stage: Stage) -> None:
    stage.log_in(stage.new_account())
    stage.page.locator("#current").fill(PASSWORD)
    stage.page.locator("#new").fill(f"{PASSWORD} again")
    stage.page.get_by_role("button", name="Change the password").click()
    expect(stage.page.locator("#change-notice")).to_contain_text("changed")


def large_text(stage: Stage) -> None:
    account = stage.new_account()
    stage.log_in_elsewhere(account)
    stage.log_in(account)
    stage.page.evaluate("document.documentElement.style.fontSize = '200%'")


def password_forgotten(stage: Stage) -> None:
    stage.open()
    stage.page.get_by_role("button", name="Log in", exact=True).click()
    stage.page.get_by_role("button", name="Forgot your password?").click()
    stage.page.locator("#forgot-email").fill(LONG)
    stage.page.get_by_role("button", name="Send the link").click()
    stage.page.get_by_role("button", name="Send it again").click()
    expect(stage.page.locator("#sent-notice")).to_contain_text("Asked again")


def step_up(stage: Stage) -> None:
    stage.log_in(stage.new_account())
    let_login_be_old(stage.page)
    stage.page.locator("#new-email").fill("alice@new.example.com")
    stage.page.get_by_role("button", name="Send a link").click()
    expect(stage.page.locator("#step-up-password-fault")).to_contain_text("password once more")


def inbox(stage: Stage) -> None:
    stage.open_mail(stage.new_account())
    stage.page.get_by_text("Plain text").click()
    expect(stage.page.locator("#text a")).to_be_visible()


def verify_email(stage: Stage) -> None:
    stage.open_link(stage.new_account(f"{LONG[:40]}.{next(_numbers)}@example.com"))
    stage.page.get_by_label("Your password").fill("wrong")
    stage.page.get_by_role("button", name="Verify the address").click()
    expect(stage.page.locator("#password-fault")).to_contain_text("wrong")


def reset_password(stage: Stage) -> None:
    stage.page.goto(f"{stage.service.url}/demo/reset-password#token=unknown")
    stage.page.locator("#new").fill("short")
    stage.page.get_by_role("button", name="Set the new password").click()
    expect(stage.page.locator("#new-fault")).not_to_be_empty()


def link_that_does_not_work(stage: Stage) -> None:
    stage.page.goto(f"{stage.service.url}/demo/verify-email#token=unknown")
    stage.page.get_by_label("Your password").fill(PASSWORD)
    stage.page.get_by_role("button", name="Verify the address").click()
    stage.page.get_by_label("E-mail address").fill("alice@example.com")
    stage.page.get_by_role("button", name="Send another mail").click()
    expect(stage.page.locator("#another-notice")).to_contain_text("on its way")


def address_changed(stage: Stage) -> None:
    account = stage.new_account()
    stage.log_in(account)
    new = {"email": f"new.{account['email']}"}
    stage.page.locator("#new-email").fill(new["email"])
    stage.page.get_by_role("button", name="Send a link").click()
    expect(stage.page.locator("#change-email-notice")).to_contain_text(new["email"])
    stage.open_link(new)
    stage.page.get_by_role("button", name="Use this address").click()
    expect(stage.page.locator("#title")).to_have_text("Your address is changed")


STATES: dict[str, Callable[[Stage], None]] = {
    state.__name__.replace("_", "-"): state
    for state in (
        first_visit,
        form_errors,
        logged_in,
        logged_out,
        rate_limited,
        offline,
        unreachable_at_load,
        ended_elsewhere,
        long_address,
        password_changed,
        large_text,
        password_forgotten,
        step_up,
        inbox,
        verify_email,
        reset_password,
        link_that_does_not_work,
        address_changed,
    )
}


@contextmanager
def demo_service(folder: Path, **settings: str) -> Iterator[tuple[Service, Path]]:
    """Run the service as `make run` does, with its default life of access tokens and limits."""
    port = free_port()
    given = {
        "demo": "true",
        "trusted_proxies": "1",
        "mail_url": f"file://{folder / 'mail'}",
        "mail_from": "authsvc <no-reply@example.com>",
        "app_url": f"http://localhost:{port}/demo",
        **settings,
    }
    with serving(new_database(folder), folder / "log", workers=1, port=port, **given) as on:
        yield on, folder / "authsvc.db"


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
