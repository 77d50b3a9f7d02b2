"""The dialog before a sensitive change on the demo page: one for all requests and tabs."""

from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import PASSWORD, Demo
from tests.browser.demo_stage import let_logins_be_old
from tests.browser.phone import Phone
from tests.browser.virtual_authenticator import add_authenticator
from tests.support.running_service import Service


def test_a_passkey_stands_in_for_the_app(demo: Demo, email: str, database_file: Path) -> None:
    page = demo.page
    authenticator = add_authenticator(page)
    demo.enter(email)
    Phone(page).set_up()
    demo.click("I have saved them")
    authenticator.add_passkey("This laptop")
    let_logins_be_old(database_file)
    demo.click("Replace the recovery codes")
    demo.click("Make them")
    expect(page.locator("#step-up-code")).to_be_focused()
    authenticator.let_person(agree=False)
    demo.click("Use a passkey")
    expect(page.locator("#step-up-error")).to_contain_text("the prompt of the browser was closed")
    authenticator.let_person(agree=True)
    demo.click("Use a passkey")
    expect(page.locator("#codes")).to_be_visible()


def test_a_second_tab_knows_what_the_first_has_changed(
    demo: Demo, email: str, service: Service, database_file: Path, context: BrowserContext
) -> None:
    page, phone = demo.page, Phone(demo.page)
    demo.enter(email)
    phone.set_up()
    demo.click("I have saved them")
    other = Demo(context.new_page(), service.url)
    expect(other.page.locator("#factor-list")).to_contain_text("10 left.")

    let_logins_be_old(database_file)
    page.bring_to_front()
    demo.click("Replace the recovery codes")
    demo.click("Make them")
    page.locator("#step-up-code").fill(phone.code())
    demo.click("Confirm")
    expect(page.locator("#codes")).to_be_visible()
    demo.click("I have saved them")
    other.page.bring_to_front()
    other.click("Remove the authenticator app")
    other.click("Remove")  # the other tab's confirmation counts for the session
    expect(other.page.locator("#list-notice")).to_contain_text("Removed")
    page.bring_to_front()
    demo.click("Remove the authenticator app")
    demo.click("Remove")
    expect(page.locator("#list-notice")).to_contain_text("in another tab or on another device")
    expect(page.get_by_role("button", name="Set up an authenticator app")).to_be_visible()

    let_logins_be_old(database_file)
    demo.click("Set up an authenticator app")
    expect(page.locator("#step-up-password")).to_be_focused()
    other.click("Log out here")
    demo.is_logged_out()
    expect(page.locator("#step-up-dialog")).to_be_hidden()
    assert other.faults == []


def test_two_changes_at_once_ask_the_person_once(
    demo: Demo, email: str, database_file: Path
) -> None:
    page = demo.page
    add_authenticator(page)
    demo.enter(email)
    expect(page.locator("#factor-list li")).to_have_count(2)
    let_logins_be_old(database_file)
    page.evaluate("""() => {
        document.getElementById("passkey-name").value = "This laptop";
        document.getElementById("passkey").requestSubmit();
        document.querySelector("#factor-list button").click();
    }""")
    page.locator("#step-up-password").fill(PASSWORD)
    with (
        page.expect_response(lambda answer: answer.url.endswith("/me/passkeys")) as passkey,
        page.expect_response(lambda answer: answer.url.endswith("/me/totp")) as app,
    ):
        demo.click("Confirm")
    assert (passkey.value.status, app.value.status) == (201, 200)
    expect(page.locator("#log tr", has_text="/auth/reauthenticate")).to_have_count(1)
    expect(page.locator("#step-up-dialog")).to_be_hidden()


def test_a_factor_that_was_added_meanwhile_is_asked_for_instead_of_the_password(
    demo: Demo, email: str, service: Service, database_file: Path, context: BrowserContext
) -> None:
    page = demo.page
    demo.enter(email)
    other = Demo(context.new_page(), service.url)
    let_logins_be_old(database_file)
    page.bring_to_front()
    demo.click("Set up an authenticator app")
    expect(page.locator("#step-up-password")).to_be_focused()
    other.page.bring_to_front()
    phone = Phone(other.page)
    other.click("Set up an authenticator app")
    other.page.locator("#step-up-password").fill(PASSWORD)
    other.click("Confirm")
    phone.take_over()
    other.page.locator("#app-code").fill(phone.code())
    other.click("Turn it on")
    expect(other.page.locator("#codes")).to_be_visible()
    page.bring_to_front()
    page.locator("#step-up-password").fill(PASSWORD)
    demo.click("Confirm")
    page.locator("#step-up-code").fill(phone.code())
    demo.click("Confirm")
    expect(page.locator("#list-error")).to_contain_text("set up already")
    expect(page.locator("#factor-list")).to_contain_text("Authenticator app on")
