"""The demo page: its whole life by mouse and by keyboard, and its forms."""

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import PASSWORD, Demo
from tests.browser.keyboard import Keyboard
from tests.support.running_service import Service

NEW_PASSWORD = "another horse, just as good"


@pytest.mark.both_servers
def test_the_whole_life_of_an_account_by_mouse(
    demo: Demo, email: str, service: Service, other_device: BrowserContext
) -> None:
    page = demo.page
    demo.enter(email)
    expect(page.locator("#timeline .token.live")).to_have_count(1)
    page.get_by_role("button", name="Who am I?").click()
    expect(page.locator("#me dt").first).to_have_text("id")
    Demo(other_device.new_page(), service.url).enter(email, "Log in")
    page.get_by_role("button", name="Look again").click()
    expect(page.locator("#sessions li")).to_have_count(2)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("#sessions li")).to_have_count(1)
    page.get_by_role("button", name="Log out here").click()
    demo.is_logged_out()
    demo.enter(email, "Log in", NEW_PASSWORD)
    page.get_by_role("button", name="Log out everywhere").click()
    demo.is_logged_out()
    demo.enter(email, "Log in", NEW_PASSWORD)
    page.get_by_text("Delete the account").click()
    page.locator("#confirm").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Delete for good").click()
    demo.is_logged_out()
    assert page.context.cookies() == []


def test_the_whole_life_of_an_account_by_keyboard_alone(demo: Demo, email: str) -> None:
    page, keys = demo.page, Keyboard(demo.page)
    keys.type("register-email", email)
    keys.type("register-password", PASSWORD)
    page.keyboard.press("Enter")
    demo.is_logged_in(email)
    expect(page.locator("#person-title")).to_be_focused()
    keys.press("who")
    expect(page.locator("#me dt").first).to_have_text("id")
    keys.press("one", "Space")
    keys.type("current", PASSWORD)
    keys.type("new", NEW_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#change-notice")).to_contain_text("The password is changed.")
    keys.press("logout")
    demo.is_logged_out()
    expect(page.locator("#email")).to_be_focused()
    keys.type("email", email)
    keys.type("password", NEW_PASSWORD)
    page.keyboard.press("Enter")
    demo.is_logged_in(email)
    keys.press("delete-title")
    keys.type("confirm", NEW_PASSWORD)
    page.keyboard.press("Enter")
    demo.is_logged_out()
    assert page.context.cookies() == []


def test_errors_are_shown_beside_the_form(demo: Demo, email: str) -> None:
    page = demo.page
    demo.fill(email, "Log in", "wrong")
    expect(page.locator("#login-error")).to_have_text(
        "The e-mail address or the password is wrong."
    )
    demo.fill(email, "Create account", "too short")
    expect(page.locator("#register-password-fault")).to_contain_text("at least 15 characters")


def test_what_is_wrong_is_shown_at_its_field_and_read_with_it(demo: Demo, email: str) -> None:
    page = demo.page
    password = page.locator("#register-password")
    demo.fill("", "Create account", "")
    expect(page.locator("#register-email")).to_be_focused()
    expect(page.locator("#register-email")).to_have_accessible_description(
        "Enter an e-mail address."
    )
    expect(password).to_have_attribute("aria-invalid", "true")
    demo.fill("alice@nowhere", "Create account", PASSWORD)  # only the service refuses it
    expect(page.locator("#register-email-fault")).to_contain_text("not an e-mail address")
    demo.fill(email, "Create account", email)
    expect(password).to_have_accessible_description(re.compile("e-mail address"))
    expect(password).to_be_focused()
    demo.enter(email)
    page.locator("#current").fill("wrong")
    page.locator("#new").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("#current-fault")).to_have_text("This is not your current password.")
    page.locator("#current").fill(PASSWORD)
    expect(page.locator("#current-fault")).to_be_empty()
    page.get_by_role("button", name="Log out here").click()
    demo.fill(email, "Create account", PASSWORD)
    expect(page.locator("#register-email-fault")).to_contain_text("already has an account")


def test_password_managers_find_the_address_and_the_right_kind_of_password(
    demo: Demo, email: str
) -> None:
    kinds = """id => [...document.getElementById(id).elements]
        .filter((input) => input.autocomplete).map((input) => input.autocomplete)"""
    evaluate = demo.page.evaluate
    assert evaluate(kinds, "login") == ["username webauthn", "current-password"]
    assert evaluate(kinds, "register") == ["username", "new-password"]
    assert evaluate(kinds, "change") == ["username", "current-password", "new-password"]
    assert evaluate(kinds, "delete") == ["username", "current-password"]
    demo.enter(email)
    demo.page.locator("#change").evaluate("form => form.reset()")
    for form in ("change", "delete"):
        assert demo.page.locator(f"#{form} [name=username]").input_value() == email


def test_a_password_is_shown_on_demand_and_hidden_when_it_is_sent(demo: Demo, email: str) -> None:
    page = demo.page
    password = page.locator("#register-password")
    page.locator("#register").get_by_role("button", name="Show the characters").click()
    expect(password).to_have_attribute("type", "text")
    demo.enter(email)
    expect(password).to_have_attribute("type", "password")


def test_at_load_a_person_who_is_logged_in_never_sees_the_login_form(
    demo: Demo, email: str
) -> None:
    demo.enter(email)
    demo.page.add_init_script("""
        globalThis.seen = new Set();
        new MutationObserver(() => {
            const entrance = document.getElementById("entrance");
            const pill = document.getElementById("pill")?.textContent;
            if (entrance) seen.add([entrance.hidden, pill].join());
        }).observe(document, { subtree: true, childList: true, attributes: true });
    """)
    demo.page.reload()
    demo.is_logged_in(email)
    assert sorted(demo.page.evaluate("[...seen]")) == ["true,Checking", "true,Logged in"]
