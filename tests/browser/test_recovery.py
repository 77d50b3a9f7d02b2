"""People get back in, by clicking only: the demo, its inbox, and the pages that links lead to."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.chromium import NO_SUGGESTIONS, find_chromium
from tests.browser.conftest import PASSWORD
from tests.browser.demo_stage import let_logins_be_old, mailing
from tests.browser.stranger import Stranger
from tests.support.running_service import Service

NEW_PASSWORD = "another horse, just as good"
INBOX_PAUSE = 2_000
"""Milliseconds after which the inbox is looked into again, as inbox.js says."""


@pytest.fixture(scope="module")
def whole_browser(
    launch_browser: Callable[..., Browser], browser_type_launch_args: dict[str, Any]
) -> Iterator[Browser]:
    """A browser whose history is looked at: in the headless shell, an entry keeps the URL that was
    opened after `history.replaceState`.
    """
    flags = [*browser_type_launch_args["args"], f"--{NO_SUGGESTIONS}"]
    browser = launch_browser(executable_path=find_chromium(), args=flags)
    yield browser
    browser.close()


@pytest.fixture
def whole_page(whole_browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Page]:
    """A page of the whole browser."""
    with whole_browser.new_context(**browser_context_args) as context:
        yield context.new_page()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recovery")


@pytest.fixture(scope="module")
def optional(folder: Path) -> Iterator[Service]:
    with mailing(folder, rate_limit_factor="100") as running:
        yield running


@pytest.fixture(scope="module")
def required(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("required")
    with mailing(folder, email_verification="required", rate_limit_factor="100") as running:
        yield running


@pytest.fixture
def stranger_at() -> Iterator[Any]:
    people: list[Stranger] = []

    def enter(service: Service, page: Page) -> Stranger:
        people.append(Stranger(page, service.url))
        return people[-1]

    yield enter
    assert [fault for person in people for fault in person.faults] == []


@pytest.fixture
def person(stranger_at: Any, optional: Service, page: Page) -> Stranger:
    return stranger_at(optional, page)


def test_a_stranger_registers_verifies_forgets_resets_and_changes_the_address(
    stranger_at: Any, optional: Service, whole_page: Page, email: str
) -> None:
    page = whole_page
    person = stranger_at(optional, page)
    person.enter(email)
    expect(page.locator("#verification")).to_contain_text("not verified yet")
    expect(page.locator("#unverified-words")).to_be_visible()
    expect(page.locator("#factor-list li")).to_have_count(0)
    person.follow_link(email, "Confirm")
    expect(page.get_by_label("Your password")).to_be_hidden()  # this browser is logged in
    person.click("Verify the address")
    person.says("Your address is verified")
    person.click("Go to the demo", "link")
    expect(page.locator("#verified")).to_be_visible()
    expect(page.locator("#verification")).to_be_hidden()
    expect(page.locator("#unverified-words")).to_be_hidden()
    expect(page.locator("#factor-list li")).to_have_count(2)

    person.click("Log out here")
    person.click("Forgot your password?")
    page.locator("#forgot-email").fill(email)
    person.click("Send the link")
    expect(page.locator("#sent-title")).to_be_focused()
    person.follow_link(email, "Choose a new password")
    page.locator("#new").fill(NEW_PASSWORD)
    person.click("Set the new password")
    person.says("Your password is changed")
    person.click("Log in", "link")
    person.enter(email, "Log in", NEW_PASSWORD)

    new = f"new.{email}"
    page.locator("#new-email").fill(new)
    person.click("Send a link")
    expect(page.locator("#change-email-notice")).to_contain_text(new)
    person.follow_link(new, "address")
    person.click("Use this address")
    person.says("Your address is changed")
    person.click("Go to the demo", "link")
    person.is_logged_in(new)
    expect(page.locator("#verified")).to_be_visible()
    person.click("Log out here")
    person.enter(new, "Log in", NEW_PASSWORD)
    assert len(person.tokens) == 3
    person.keeps_no_token()
    person.open_mail(email, "address")  # the notice at the old address


def test_with_required_verification_the_account_begins_with_the_link_and_the_password(
    stranger_at: Any, required: Service, whole_page: Page, email: str
) -> None:
    page = whole_page
    person = stranger_at(required, page)
    person.fill(email, "Create account", PASSWORD)
    expect(page.locator("#sent-words")).to_contain_text(f"A mail is on its way to {email}")
    expect(page.locator("#sent-title")).to_be_focused()
    person.click("Log in")
    person.fill(email, "Log in", PASSWORD)
    expect(page.locator("#login-error")).to_contain_text("wrong")
    expect(page.locator("#login")).to_contain_text("Open the link in your mail first")
    person.follow_link(email, "Confirm")
    page.get_by_label("Your password").fill("not the password")
    person.click("Verify the address")
    expect(page.locator("#password-fault")).to_have_text("This password is wrong.")
    expect(page.get_by_label("Your password")).to_be_focused()
    page.get_by_label("Your password").fill(PASSWORD)
    person.click("Verify the address")
    person.says("Your address is verified")
    person.click("Log in", "link")
    person.enter(email, "Log in")
    expect(page.locator("#verified")).to_be_visible()
    person.keeps_no_token()


def test_an_account_from_before_the_setting_is_told_to_verify_its_address(
    stranger_at: Any, required: Service, page: Page, email: str
) -> None:
    person = stranger_at(required, page)
    person.fill(email, "Create account", PASSWORD)
    person.follow_link(email, "Confirm")
    page.get_by_label("Your password").fill(PASSWORD)
    person.click("Verify the address")
    person.says("Your address is verified")
    with closing(sqlite3.connect(required.output.with_name("authsvc.db"))) as connection:
        connection.execute("UPDATE users SET email_verified_at = NULL")
        connection.commit()
    person.click("Log in", "link")
    person.fill(email, "Log in", PASSWORD)
    expect(page.locator("#sent-words")).to_contain_text("not verified yet")
    person.click("Send it again")
    expect(page.locator("#sent-notice")).to_contain_text("Asked again")


def test_opening_a_link_uses_nothing_up_and_a_used_one_offers_another_mail(
    stranger_at: Any, optional: Service, whole_page: Page, email: str
) -> None:
    page = whole_page
    person = stranger_at(optional, page)
    person.enter(email)
    person.click("Log out here")
    person.click("Forgot your password?")
    page.locator("#forgot-email").fill(email)
    person.click("Send the link")
    person.follow_link(email, "Choose a new password")
    page.reload()
    expect(page.locator("#title")).to_have_text("This page needs a link")
    for password in (NEW_PASSWORD, PASSWORD):
        person.follow_link(email, "Choose a new password")
        page.locator("#new").fill(password)
        person.click("Set the new password")
        expect(page.locator("#title")).not_to_have_text("Choose a new password")
    person.says("This link does not work")
    page.get_by_role("textbox", name="E-mail address").fill(email)
    person.click("Send another mail")
    expect(page.locator("#another-notice")).to_contain_text("a mail is on its way")
    person.click("Open the inbox", "link")
    expect(page.locator("#mails a").first).to_be_visible()
    person.keeps_no_token()


def test_an_old_login_gives_the_password_once_more_to_change_the_address(
    person: Stranger, optional: Service, email: str
) -> None:
    page = person.page
    person.enter(email)
    let_logins_be_old(optional.output.with_name("authsvc.db"))
    page.locator("#new-email").fill(f"new.{email}")
    person.click("Send a link")
    expect(page.locator("#step-up-password")).to_be_focused()
    page.locator("#step-up-password").fill("not the password")
    person.click("Confirm")
    expect(page.locator("#step-up-password-fault")).to_have_text("This password is wrong.")
    page.locator("#step-up-password").fill(PASSWORD)
    person.click("Confirm")
    expect(page.locator("#change-email-notice")).to_contain_text(f"new.{email}")
    expect(page.locator("#step-up-dialog")).to_be_hidden()
    person.is_logged_in(email)


def test_a_link_to_an_address_that_was_taken_meanwhile_says_so(
    person: Stranger, optional: Service, email: str
) -> None:
    page = person.page
    person.enter(email)
    taken = f"taken.{email}"
    page.locator("#new-email").fill(taken)
    person.click("Send a link")
    expect(page.locator("#change-email-notice")).to_contain_text(taken)
    person.follow_link(taken, "address")
    account = {"email": taken, "password": PASSWORD}
    assert page.request.post(f"{optional.url}/auth/register", data=account).status == 201
    person.click("Use this address")
    expect(page.locator("#confirm-error")).to_contain_text("Another account has this address")


def hostile(script: str) -> bytes:
    message = EmailMessage()
    message["From"] = f"<img src=x onerror={script}>"
    message["To"] = "mallory@example.com"
    message["Subject"] = f"<script>{script}</script>"
    message.set_content(f"javascript:{script} <b onclick={script}>x</b> http://x.invalid/'\"><i>")
    message.add_alternative(
        f"""<!doctype html><base href="http://x.invalid/" target="_self">
        <meta http-equiv="refresh" content="0; url=javascript:{script}">
        <script>{script}</script><img src="x" onerror="{script}"><svg onload="{script}"></svg>
        <iframe srcdoc="<script>{script}</script>"></iframe><body onload="{script}">
        <form action="/auth/logout" method="post"><button>Send</button></form>
        <a href="javascript:{script}">Click</a>""",
        subtype="html",
    )
    return message.as_bytes()


@pytest.mark.usefixtures("movable_clock")
def test_a_hostile_mail_runs_no_script_and_sends_no_form(
    person: Stranger, optional: Service, folder: Path, context: BrowserContext
) -> None:
    page = person.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{optional.url}/demo/inbox")
    script = "parent.document.title=document.title='run'"
    (folder / "mail").mkdir(exist_ok=True)
    (folder / "mail" / "hostile.eml").write_bytes(hostile(script))
    page.clock.fast_forward(INBOX_PAUSE)
    page.locator("#mails a", has_text="mallory").click()  # it appears by itself
    mail = page.frame_locator("#html")
    mail.get_by_role("link", name="Click").click()
    mail.get_by_role("button", name="Send").click()
    expect(page.locator("#subject")).to_have_text(f"<script>{script}</script>")
    expect(page.locator("#mails :is(img, script), #text :is(i, b), #headers img")).to_have_count(0)
    assert [link.get_attribute("href") for link in page.locator("#text a").all()] == [
        "http://x.invalid/'"
    ]
    assert page.title() == "Inbox - authsvc demo"
    assert [url for url in asked if not url.startswith(f"{optional.url}/")] == []
    assert [url for url in asked if "logout" in url] == []
    assert len(context.pages) == 1
    (folder / "mail" / "hostile.eml").unlink()
    page.clock.fast_forward(INBOX_PAUSE)
    expect(page.locator("#mails a", has_text="mallory")).to_have_count(0)


def test_the_keyboard_alone_opens_a_mail_and_its_link(person: Stranger, email: str) -> None:
    page = person.page
    person.enter(email)
    page.get_by_role("link", name="Inbox", exact=True).first.focus()
    page.keyboard.press("Enter")
    mail = page.locator("#mails a", has_text=email)
    mail.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#subject")).to_be_focused()
    link = page.frame_locator("#html").locator("a").first
    expect(link).to_be_visible()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_text("Verify your address")
    page.go_back()
    expect(page.locator("#subject")).to_contain_text("Confirm")
