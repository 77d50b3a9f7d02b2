"""The page of docs/factors.md, on another origin that the service allows."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.browser.virtual_authenticator import add_authenticator
from tests.docs.test_factors import listing
from tests.support.running_service import Service


def test_a_reader_adds_a_passkey_by_the_page_and_logs_in_with_it(
    page: Page, service: Service, spa: str, email: str
) -> None:
    html = listing("html", "withFactors").replace("http://localhost:8000", service.url)
    page.request.post(f"{service.url}/auth/register", data={"email": email, "password": PASSWORD})
    page.goto(spa)
    page.set_content(html)
    add_authenticator(page)
    says = page.get_by_role("status")

    def click(name: str) -> None:
        page.get_by_role("button", name=name, exact=True).click()

    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    click("Log in")
    expect(says).to_have_text(f"Hello, {email}")
    click("Add a passkey")
    expect(says).to_have_text("Added: my device")
    click("Log out")
    expect(says).to_have_text("Goodbye")
    click("Log in")
    expect(says).to_contain_text("second factor")
    click("Use a passkey")
    expect(says).to_have_text(f"Hello, {email}")
