"""Second factors on the demo page: their whole life, with a phone and with passkeys."""

from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import PASSWORD, Demo
from tests.browser.demo_stage import let_logins_be_old
from tests.browser.keyboard import Keyboard
from tests.browser.phone import Phone
from tests.browser.virtual_authenticator import add_authenticator
from tests.support.running_service import Service


def has_passkey(page: Page, name: str, words: str) -> None:
    item = page.locator("#factor-list li", has_text=name)
    expect(item.locator(".quiet")).to_have_text(words)


def test_the_whole_life_of_an_authenticator_app(
    demo: Demo, email: str, context: BrowserContext
) -> None:
    page, phone = demo.page, Phone(demo.page)
    demo.enter(email)
    phone.scan()
    expect(page.locator("#qr svg")).to_have_attribute("aria-label", "QR code of the secret")
    page.locator("#app-code").fill("000 000 0")
    demo.click("Turn it on")
    expect(page.locator("#app-code-fault")).to_contain_text("Check the clock of your phone")
    page.locator("#app-code").fill(phone.code())
    demo.click("Turn it on")
    expect(page.locator("#codes-title")).to_be_focused()
    codes = page.locator("#code-list code").all_inner_texts()
    assert len(codes) == 10
    with page.expect_download() as download:
        demo.click("Download")
    assert Path(download.value.path()).read_text().split()[-10:] == codes
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    demo.click("Copy")
    expect(page.locator("#codes-notice")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").split()[-10:] == codes
    demo.click("I have saved them")
    expect(page.locator("#list-title")).to_be_focused()
    expect(page.locator("#factor-list")).to_contain_text("10 left.")
    assert [code for code in codes if code in page.content()] == []

    demo.log_out()
    demo.fill(email, "Log in", PASSWORD)
    expect(page.locator("#second-code")).to_be_focused()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    page.locator("#second-code").fill("000000 0")
    demo.click("Log in")
    expect(page.locator("#second-code-fault")).to_contain_text("enter the next code")
    page.locator("#second-code").fill(phone.code())
    demo.click("Log in")
    demo.is_logged_in(email)

    demo.log_out()
    demo.fill(email, "Log in", PASSWORD)
    demo.click("Use a recovery code")
    page.locator("#second-recovery").fill(codes[0].lower())
    demo.click("Log in")
    demo.is_logged_in(email)
    expect(page.locator("#factor-list")).to_contain_text("9 left.")
    demo.click("Replace the recovery codes")
    demo.click("Make them")
    expect(page.locator("#code-list code")).to_have_count(10)
    assert not set(codes) & set(page.locator("#code-list code").all_inner_texts())
    demo.click("I have saved them")

    demo.click("Remove the authenticator app")
    demo.click("Remove")
    expect(page.locator("#list-notice")).to_have_text("Removed: the authenticator app.")
    expect(page.locator("#factor-list")).not_to_contain_text("Recovery codes")
    for words in (
        "The authenticator app was removed.",
        "New recovery codes were made.",
        "A recovery code was used.",
        "A login was refused: the password was right, the code was wrong.",
    ):
        expect(page.locator("#activity .title", has_text=words)).to_be_visible()
    demo.log_out()
    demo.enter(email, "Log in")


def test_the_whole_life_of_a_passkey(demo: Demo, email: str, database_file: Path) -> None:
    page = demo.page
    authenticator = add_authenticator(page, synced=True)
    demo.enter(email)
    demo.click("Add a passkey")
    expect(page.locator("#passkey-name")).to_have_value("Chrome on Linux")
    demo.click("Cancel")
    authenticator.add_passkey("My phone")
    has_passkey(page, "My phone", "Synced between your devices. Not used yet.")
    demo.click("Make recovery codes")
    demo.click("I have saved them")

    with authenticator.person_is_away():
        demo.log_out()
    demo.click("Log in with a passkey")
    demo.is_logged_in(email)
    expect(page.locator("#factor-list")).to_contain_text("Last used")
    expect(page.locator("#activity .title").first).to_have_text("Logged in with a passkey.")

    with authenticator.person_is_away():
        demo.log_out()
    demo.fill(email, "Log in", PASSWORD)
    expect(page.locator("#second")).to_contain_text("Your browser asks for your fingerprint")
    demo.click("Use a passkey")
    demo.is_logged_in(email)

    let_logins_be_old(database_file)
    demo.click("Remove the passkey My phone")
    demo.click("Remove")
    expect(page.locator("#step-up-words")).to_have_text("This change needs your second factor.")
    demo.click("Use a passkey")
    expect(page.locator("#list-notice")).to_have_text("Removed: the passkey “My phone”.")
    expect(page.locator("#factor-list .title")).to_have_text(["Authenticator app", "Passkey"])

    with authenticator.person_is_away():
        demo.log_out()
    demo.click("Log in with a passkey")  # the device still has it
    expect(page.locator("#login-error")).to_contain_text("This passkey is not known here.")
    authenticator.forget()
    demo.enter(email, "Log in")


def test_by_keyboard_alone_a_change_is_confirmed_with_a_passkey(
    demo: Demo, email: str, database_file: Path
) -> None:
    page, keys = demo.page, Keyboard(demo.page)
    add_authenticator(page)
    demo.enter(email)
    keys.press("add-passkey")
    expect(page.locator("#passkey-title")).to_be_focused()
    keys.press("passkey-name")
    expect(page.locator("#list-title")).to_be_focused()
    has_passkey(page, "Chrome on Linux", "Kept by one device. Not used yet.")
    let_logins_be_old(database_file)
    keys.press("delete-title")
    keys.type("confirm", PASSWORD)
    page.keyboard.press("Enter")
    dialog = page.locator("#step-up-dialog")
    expect(dialog).to_be_visible()
    keys.reach("step-up-cancel")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#delete-error")).to_contain_text("you did not confirm")
    expect(page.locator("#confirm")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_focused()
    page.keyboard.press("Enter")
    demo.is_logged_out()
    expect(page.locator("#entrance-notice")).to_have_text("The account and its data are deleted.")


def test_the_address_field_suggests_the_passkey(demo: Demo, email: str) -> None:
    page = demo.page
    authenticator = add_authenticator(page)
    demo.enter(email)
    authenticator.add_passkey("This laptop")
    with authenticator.person_is_away():
        demo.log_out()
    demo.fill(email, "Log in", "not the password")
    expect(page.locator("#login-error")).to_contain_text("wrong")
    demo.click("Create an account")
    demo.click("Log in")  # the form is shown anew, and now the person chooses the passkey
    demo.is_logged_in(email)
    expect(page.locator("#activity .title").first).to_have_text("Logged in with a passkey.")


def test_a_prompt_that_the_person_closes_changes_nothing(demo: Demo, email: str) -> None:
    page = demo.page
    authenticator = add_authenticator(page)
    demo.enter(email)
    authenticator.let_person(agree=False)
    demo.click("Add a passkey")
    demo.click("Create it")
    expect(page.locator("#passkey-error")).to_contain_text("the prompt of the browser was closed")
    authenticator.let_person(agree=True)
    demo.click("Create it")
    expect(page.locator("#list-notice")).to_contain_text("is added")
    demo.click("Add a passkey")
    demo.click("Create it")
    expect(page.locator("#passkey-error")).to_contain_text("has a passkey for your account already")
    with authenticator.person_is_away():
        demo.log_out()
    authenticator.let_person(agree=False)
    demo.click("Log in with a passkey")
    expect(page.locator("#login-error")).to_contain_text("Nothing happened")
    authenticator.let_person(agree=True)
    demo.click("Log in with a passkey")
    demo.is_logged_in(email)


def test_a_browser_without_passkeys_is_not_offered_any(page: Page, service: Service) -> None:
    page.add_init_script("delete globalThis.PublicKeyCredential")
    demo = Demo(page, service.url)
    demo.enter("alice.without.passkeys@example.com")
    expect(page.locator("#no-passkeys")).to_have_text("This browser has no passkeys.")
    expect(page.locator("#factor-list li")).to_have_count(1)
    demo.log_out()
    expect(page.get_by_role("button", name="Log in with a passkey")).to_be_hidden()
    assert demo.faults == []
