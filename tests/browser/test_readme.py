"""The README's example page, on another origin that the service allows."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.docs.test_readme import block
from tests.support.running_service import Service


def test_the_readmes_page_logs_in_restores_its_session_and_logs_out(
    page: Page, service: Service, spa: str, email: str
) -> None:
    html = block("html", "createAuth").replace("http://localhost:8000", service.url)
    page.request.post(f"{service.url}/auth/register", data={"email": email, "password": PASSWORD})
    says = page.locator("p")

    def load() -> None:
        page.goto(spa)
        page.set_content(html)

    load()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(says).to_contain_text("wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(says).to_have_text(f"Hello, {email}")
    load()
    expect(says).to_have_text(f"Hello, {email}")
    page.get_by_role("button", name="Log out").click()
    expect(says).to_have_text("Goodbye")


def test_the_readmes_script_has_ten_lines() -> None:
    script = block("html", "createAuth").split('<script type="module">\n')[1].split("</script>")[0]
    assert len(script.splitlines()) == 10
