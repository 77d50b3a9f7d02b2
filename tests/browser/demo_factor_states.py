"""The states of the demo page in which a person sets up, uses and removes second factors."""

import sqlite3
from contextlib import closing

from playwright.sync_api import expect

from tests.browser.demo_stage import PASSWORD, Stage, Story, let_logins_be_old
from tests.browser.virtual_authenticator import add_authenticator


def no_factors(stage: Stage) -> None:
    """Log in to a new account whose address is verified, as adding factors demands."""
    account = stage.new_account()
    with closing(sqlite3.connect(stage.database)) as connection, connection:
        connection.execute("UPDATE users SET email_verified_at = created_at")
    stage.log_in(account)
    expect(stage.page.locator("#factor-list li")).to_have_count(2)


def factors_need_a_verified_address(stage: Stage) -> None:
    stage.log_in(stage.new_account())
    expect(stage.page.locator("#unverified-words")).to_be_visible()


def app_set_up_in_large_text(stage: Stage) -> None:
    stage.page.evaluate("document.documentElement.style.fontSize = '200%'")


def app_set_up(stage: Stage) -> None:
    stage.page.get_by_role("button", name="Cancel").click()
    stage.phone.scan()
    expect(stage.page.locator("#qr svg")).to_be_visible()
    stage.page.locator("#app-code").fill("12")
    stage.page.get_by_role("button", name="Turn it on").click()
    expect(stage.page.locator("#app-code-fault")).to_contain_text("wrong")


def recovery_codes(stage: Stage) -> None:
    stage.page.evaluate("document.documentElement.style.fontSize = ''")
    stage.phone.turn_on()
    stage.page.get_by_role("button", name="Copy").click()
    expect(stage.page.locator("#codes :is(.notice, .error):not(:empty)")).to_be_visible()


def new_passkey(stage: Stage) -> None:
    stage.page.get_by_role("button", name="Add a passkey").click()
    expect(stage.page.locator("#passkey-name")).to_have_value("Chrome on Linux")


def all_factors(stage: Stage) -> None:
    page = stage.page
    page.locator("#second-code").fill(stage.phone.code())
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator("#factor-list li").first).to_be_visible()
    for name, synced in (("Work laptop", False), (f"Phone of {'alice' * 11}", True)):
        authenticator = add_authenticator(page, synced=synced)
        authenticator.add_passkey(name)
        authenticator.remove()
    expect(page.locator("#factor-list li")).to_have_count(5)


def factor_removal(stage: Stage) -> None:
    stage.page.get_by_role("button", name="I have saved them").click()
    expect(stage.page.locator("#list-notice")).not_to_be_empty()
    stage.page.get_by_role("button", name="Remove the authenticator app").click()
    expect(stage.page.locator("#sure")).to_be_visible()


def second_step(stage: Stage) -> None:
    page = stage.page
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Log out here").click()
    page.locator("#email").fill(stage.account["email"])
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.locator("#second-code").fill("12")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator("#second-code-fault")).to_contain_text("wrong")


def step_up(stage: Stage) -> None:
    let_logins_be_old(stage.database)
    stage.page.locator("#new-email").fill("alice@new.example.com")
    stage.page.get_by_role("button", name="Send a link").click()
    stage.page.locator("#step-up-password").fill("wrong")
    stage.page.get_by_role("button", name="Confirm").click()
    expect(stage.page.locator("#step-up-password-fault")).to_contain_text("wrong")


def step_up_by_a_factor(stage: Stage) -> None:
    let_logins_be_old(stage.database)
    stage.page.get_by_text("Delete the account").click()
    stage.page.locator("#confirm").fill(PASSWORD)
    stage.page.get_by_role("button", name="Delete for good").click()
    expect(stage.page.locator("#step-up-code")).to_be_focused()


FACTOR_STORY: Story = (
    no_factors,
    new_passkey,
    app_set_up,
    app_set_up_in_large_text,
    recovery_codes,
    factor_removal,
    second_step,
    all_factors,
    step_up_by_a_factor,
)
