"""A session in a real browser: tabs, reloads, networks, clocks and devices."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Demo
from tests.browser.stores import STORES, holds_only_a_key
from tests.support.running_service import CHEAP_HASHES, Service, new_database, serving


def test_storage_that_a_script_can_read_has_no_token(
    demo: Demo, service: Service, email: str
) -> None:
    with demo.page.expect_response("**/auth/login") as login:
        demo.enter(email)
    demo.ask(200)
    stores = demo.page.evaluate(STORES)
    assert holds_only_a_key(stores, service.url)
    [cookie] = demo.page.context.cookies()
    tokens = [login.value.json()["access_token"], cookie["value"]]
    assert [token for token in tokens if token in str(stores)] == []


def test_the_browser_keeps_one_cookie_with_every_attribute(demo: Demo, email: str) -> None:
    demo.enter(email)
    [cookie] = demo.page.context.cookies()
    assert cookie["name"] == "__Host-refresh_token"
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
    assert (cookie["domain"], cookie["path"]) == ("localhost", "/")


def test_a_reload_keeps_the_session(demo: Demo, email: str) -> None:
    demo.enter(email)
    demo.page.reload()
    demo.is_logged_in(email)
    demo.ask(200)


def test_closing_the_page_loses_the_access_token(
    demo: Demo, email: str, service: Service, context: BrowserContext
) -> None:
    demo.enter(email)
    demo.page.close()
    context.clear_cookies()
    Demo(context.new_page(), service.url).is_logged_out()


def test_five_tabs_that_wake_at_once_all_refresh_and_stay_logged_in(
    demo: Demo, email: str, service: Service, context: BrowserContext
) -> None:
    demo.enter(email)
    tabs = [demo, *(Demo(context.new_page(), service.url) for _ in range(4))]
    for tab in tabs:
        tab.is_logged_in(email)
        tab.page.locator("#keep").uncheck()
    for tab in tabs:
        tab.ask(200)  # a refresh that was under way is over then
    for tab in tabs:
        tab.wait_until_the_token_has_expired()
    before = [tab.refreshes.count() for tab in tabs]
    for tab in tabs:
        tab.page.evaluate("setTimeout(() => document.getElementById('one').click(), 300)")
    for tab, refreshes in zip(tabs, before, strict=True):
        expect(tab.page.locator("#memory")).to_contain_text("left")
        expect(tab.refreshes).to_have_count(refreshes + 1)
        tab.is_logged_in(email)


def test_logout_in_one_tab_logs_out_the_others_and_their_access_tokens(
    demo: Demo, email: str, service: Service, context: BrowserContext
) -> None:
    demo.enter(email)
    other = Demo(context.new_page(), service.url)
    other.is_logged_in(email)
    other.page.locator("#keep").uncheck()  # the logout must reach it without a request
    with demo.page.expect_request("**/api/me") as sent:
        demo.page.get_by_role("button", name="Send a request").click()
    bearer = {"Authorization": sent.value.headers["authorization"]}
    demo.page.get_by_role("button", name="Log out here").click()
    other.is_logged_out()
    time.sleep(1)  # a worker may take a second to learn of it
    answer = context.request.get(f"{service.url}/api/me", headers=bearer)
    assert (answer.status, answer.json()["code"]) == (401, "access_token_revoked")
    assert context.request.post(f"{service.url}/auth/refresh").status == 401


@pytest.mark.usefixtures("movable_clock")
def test_a_page_that_was_offline_is_still_logged_in_when_it_is_back(
    demo: Demo, email: str, context: BrowserContext
) -> None:
    demo.enter(email)
    demo.let_the_token_expire()
    context.set_offline(True)
    demo.page.get_by_role("button", name="Send a request").click()
    expect(demo.page.locator("#log .lost").first).to_have_text("no answer")
    demo.is_logged_in(email)
    context.set_offline(False)
    demo.ask(200)
    demo.is_logged_in(email)


@pytest.mark.usefixtures("movable_clock")
def test_a_restart_of_the_service_ends_no_session(page: Page, email: str, tmp_path: Path) -> None:
    url = new_database(tmp_path)
    settings = {"demo": "true", "access_token_ttl": "3", "rate_limit_factor": "100"}
    with serving(url, tmp_path / "log", workers=1, app=CHEAP_HASHES, **settings) as first:
        demo = Demo(page, first.url)
        demo.enter(email)
        demo.let_the_token_expire()
        first.kill()
    with serving(url, tmp_path / "log", workers=1, port=first.port, app=CHEAP_HASHES, **settings):
        demo.ask(200)
        demo.is_logged_in(email)


@pytest.mark.parametrize("days", [1, -1], ids=["ahead", "behind"])
def test_a_client_clock_that_is_a_day_off_changes_nothing(
    page: Page, service: Service, email: str, days: int
) -> None:
    page.clock.install(time=datetime.now() + timedelta(days=days))
    demo = Demo(page, service.url)
    demo.enter(email)
    demo.let_the_token_expire()
    refreshes = demo.refreshes.count()
    demo.ask(200)
    demo.ask(200)
    demo.is_logged_in(email)
    expect(demo.refreshes).to_have_count(refreshes + 1)


def test_a_session_revoked_from_another_device_is_over_at_the_next_request(
    demo: Demo, email: str, service: Service, other_device: BrowserContext
) -> None:
    demo.enter(email)
    demo.page.locator("#keep").uncheck()  # it must not learn of it by a request of its own
    elsewhere = Demo(other_device.new_page(), service.url)
    elsewhere.enter(email, "Log in")
    sessions = elsewhere.page.locator("#sessions li")
    expect(sessions).to_have_count(2)
    sessions.filter(has_not_text="this one").get_by_role("button").click()
    expect(sessions).to_have_count(1)
    demo.page.wait_for_timeout(1_000)  # a worker may take a second to learn of it
    demo.page.get_by_role("button", name="Send a request").click()
    demo.is_logged_out()
    elsewhere.ask(200)
