"""The demo page: its whole life by mouse and by keyboard, and accessible."""

from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import PASSWORD, Demo
from tests.support.gunicorn_server import Service

NEW_PASSWORD = "another horse, just as good"
VIOLATIONS = "async () => (await axe.run()).violations.map((v) => [v.id, v.nodes[0].html])"


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


class Keyboard:
    """A person without a mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, id: str, key: str = "Tab") -> None:
        for _ in range(40):
            if self.page.evaluate("document.activeElement.id") == id:
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{id} cannot be reached by {key}")

    def type(self, id: str, text: str) -> None:
        self.reach(id)
        self.page.keyboard.type(text)

    def press(self, id: str, key: str = "Enter") -> None:
        self.reach(id)
        self.page.keyboard.press(key)


def test_the_whole_life_of_an_account_by_keyboard_alone(demo: Demo, email: str) -> None:
    page, keys = demo.page, Keyboard(demo.page)
    keys.type("email", email)
    keys.type("password", PASSWORD)
    for key in ("Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    demo.is_logged_in(email)
    expect(page.locator("#person-title")).to_be_focused()
    keys.press("who")
    expect(page.locator("#me dt").first).to_have_text("id")
    keys.press("one", "Space")
    keys.type("current", PASSWORD)
    keys.type("new", NEW_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("The password is changed.")
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
    demo.page.get_by_label("E-mail address").fill(email)
    demo.page.locator("#password").fill("wrong")
    demo.page.get_by_role("button", name="Log in", exact=True).click()
    expect(demo.page.locator("#login-error")).to_contain_text("the password is wrong")
    demo.page.get_by_role("button", name="Create account").click()
    expect(demo.page.locator("#login-error")).to_contain_text("15")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_and_nothing_overflows(
    demo: Demo, email: str, axe: str, theme: Literal["light", "dark"]
) -> None:
    page = demo.page
    page.emulate_media(color_scheme=theme)
    page.evaluate(axe)

    def audit() -> None:
        for width in (375, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(VIOLATIONS) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width

    audit()
    demo.enter(email)
    page.get_by_text("Delete the account").click()
    expect(page.locator("#sessions li")).to_have_count(1)
    audit()
