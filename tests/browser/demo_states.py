"""The states of the demo pages, in stories: what is tested is also what is photographed."""

import json
import re
import sqlite3
import time
from contextlib import closing

from playwright.sync_api import expect

from tests.browser.demo_factor_states import (
    FACTOR_STORY,
    factors_need_a_verified_address,
    step_up,
)
from tests.browser.demo_stage import PASSWORD, Stage, State, Story

WITHOUT_STORE = """IDBFactory.prototype.open = () => {
  throw new DOMException("Not in this mode.", "SecurityError");
}"""
LONG = f"{'a-very-long-name-' * 3}of-alice@{'a-department.' * 8}example.com"


def first_visit(stage: Stage) -> None:
    stage.open()


def form_errors(stage: Stage) -> None:
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
    stage.enter(stage.new_account())
    stage.page.get_by_role("button", name="Log out here").click()
    expect(stage.page.locator("#entrance-notice")).to_contain_text("logged out")


def rate_limited(stage: Stage) -> None:
    account = stage.new_account()
    for _ in range(10):
        stage.call("POST", "/auth/login", {**account, "password": "wrong"})
    stage.page.get_by_role("button", name="Log in", exact=True).click()
    stage.page.locator("#email").fill(account["email"])
    stage.page.locator("#password").fill(PASSWORD)
    stage.page.locator("#login button.primary").click()
    expect(stage.page.locator("#login-error")).to_contain_text("Try again in 15 minutes")


def offline(stage: Stage) -> None:
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
    _, text = stage.call("POST", "/auth/login", stage.account)
    bearer = {"Authorization": f"Bearer {json.loads(text)['access_token']}"}
    assert stage.call("DELETE", "/api/me/sessions", **bearer)[0] == 204
    deadline = time.monotonic() + 10
    while stage.call("GET", "/api/me", **bearer)[0] != 401:  # the worker learns of it in a second
        assert time.monotonic() < deadline
        stage.page.wait_for_timeout(50)
    stage.page.get_by_role("button", name="Look again").click()
    expect(stage.page.locator("#entrance-notice")).to_contain_text("Your session has ended")


def cookie_copied(stage: Stage) -> None:
    stage.log_in(stage.new_account())
    [cookie] = stage.page.context.cookies()
    copied = {"Cookie": f"{cookie['name']}={cookie['value']}", "X-Forwarded-For": "198.51.100.7"}
    status, text = stage.call("POST", "/auth/refresh", **copied)
    assert (status, json.loads(text)["code"]) == (401, "dpop_proof_missing")
    stage.page.get_by_role("button", name="Look again").click()
    expect(stage.page.locator("#activity li.warning")).to_be_visible()
    stage.page.get_by_text("Try it as a thief").click()


def not_bound(stage: Stage) -> None:
    stage.page.add_init_script(WITHOUT_STORE)
    stage.log_in(stage.new_account())
    expect(stage.page.locator("#key")).to_have_text("Not bound")


def long_address(stage: Stage) -> None:
    stage.log_in(stage.new_account(LONG))


def password_changed(stage: Stage) -> None:
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
    stage.page.get_by_role("button", name="Log in", exact=True).click()
    stage.page.get_by_role("button", name="Forgot your password?").click()
    stage.page.locator("#forgot-email").fill(LONG)
    stage.page.get_by_role("button", name="Send the link").click()
    stage.page.get_by_role("button", name="Send it again").click()
    expect(stage.page.locator("#sent-notice")).to_contain_text("Asked again")


def inbox(stage: Stage) -> None:
    stage.open_mail(stage.new_account(f"{LONG[:40]}@example.com"))
    stage.page.get_by_text("Plain text").click()
    expect(stage.page.locator("#text a")).to_be_visible()


def verify_email(stage: Stage) -> None:
    stage.follow_link()
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


STORIES: tuple[Story, ...] = (
    (first_visit, form_errors, password_forgotten, rate_limited),
    (logged_in,),
    (cookie_copied, ended_elsewhere, logged_out),
    (unreachable_at_load,),
    (not_bound,),
    (long_address, offline),
    (large_text,),
    (inbox, verify_email, reset_password, link_that_does_not_work, address_changed),
    (factors_need_a_verified_address, password_changed, step_up),
    FACTOR_STORY,
)
"""Each state of a story begins where the one before it ended; the first begins in a new profile."""


def name_of(state: State) -> str:
    return state.__name__.replace("_", "-")
