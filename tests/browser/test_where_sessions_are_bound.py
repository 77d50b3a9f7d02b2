"""Where sessions are bound: wrong clocks, refused stores, strict services."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Demo
from tests.browser.demo_states import WITHOUT_STORE
from tests.browser.thief import steal
from tests.support.running_service import Service, new_database, serving


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that opens only bound sessions."""
    folder = tmp_path_factory.mktemp("strict")
    settings = {"demo": "true", "require_bound_sessions": "true", "rate_limit_factor": "100"}
    with serving(new_database(folder), folder / "log", workers=1, **settings) as running:
        yield running


@pytest.mark.parametrize("hours", [-2, 87_600], ids=["two-hours-behind", "ten-years-ahead"])
def test_a_wrong_clock_of_the_browser_logs_in_and_refreshes_by_a_nonce(
    page: Page, service: Service, email: str, hours: int
) -> None:
    page.clock.install(time=datetime.now() + timedelta(hours=hours))
    demo = Demo(page, service.url)
    answers: list[tuple[str, int]] = []
    page.on("response", lambda got: answers.append((got.url.rpartition("/")[2], got.status)))
    demo.enter(email)
    demo.is_bound()
    assert [status for path, status in answers if path == "login"] == [401, 200]
    answers.clear()
    page.reload()
    demo.is_logged_in(email)
    demo.is_bound()
    assert [status for path, status in answers if path == "refresh"][:2] == [401, 200]
    assert demo.faults == []


def test_a_browser_without_a_store_logs_in_unbound_and_says_so(
    page: Page, service: Service, email: str
) -> None:
    page.add_init_script(WITHOUT_STORE)
    demo = Demo(page, service.url)
    demo.enter(email)
    expect(page.locator("#key")).to_have_text("Not bound")
    expect(page.locator("#unbound-words")).to_be_visible()
    expect(page.locator("#bound")).to_be_hidden()
    expect(page.locator("#bound-words")).to_be_hidden()
    expect(page.locator("#sessions li")).to_contain_text("Not bound: its cookie alone is enough.")
    page.reload()
    demo.is_logged_in(email)
    assert steal(demo, service)[0] == 200
    assert demo.faults == []


def test_the_demo_works_where_only_bound_sessions_are_opened(
    page: Page, strict: Service, email: str
) -> None:
    demo = Demo(page, strict.url)
    demo.enter(email)
    demo.is_bound()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(f"{PASSWORD} again")
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("#change-notice")).to_contain_text("The password is changed.")
    page.reload()
    demo.is_logged_in(email)
    demo.is_bound()


def test_where_only_bound_sessions_are_opened_a_browser_without_a_store_is_refused_in_words(
    page: Page, strict: Service, email: str
) -> None:
    page.add_init_script(WITHOUT_STORE)
    demo = Demo(page, strict.url)
    demo.fill(email, "Create account", PASSWORD)
    expect(page.locator("#register-error")).to_contain_text("only sessions that are bound")
