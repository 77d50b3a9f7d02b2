"""A person who gets to know the service by its demo and its mails alone."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo
from tests.browser.stores import NOTHING, STORES


class Stranger(Demo):
    """A person with a browser, who knows nothing but what the pages say."""

    def __init__(self, page: Page, url: str) -> None:
        super().__init__(page, url)
        self.tokens: set[str] = set()
        page.on("request", self._note)

    def _note(self, request: Any) -> None:
        body = request.post_data_json if request.method == "POST" else None
        if isinstance(body, dict) and "token" in body:
            self.tokens.add(body["token"])

    def open_mail(self, email: str, subject: str) -> None:
        """Go to the inbox by its link, and open the newest mail with that subject."""
        self.page.get_by_role("link", name="Inbox", exact=True).first.click()
        mails = self.page.locator("#mails a", has_text=f"To {email}")
        mails.filter(has_text=subject).first.click()
        expect(self.page.locator("#subject")).to_contain_text(subject)

    def follow_link(self, email: str, subject: str) -> None:
        """Open the link of a mail, as its button in the HTML offers it."""
        self.open_mail(email, subject)
        self.page.frame_locator("#html").locator("a[href*=token]").first.click()
        expect(self.page.locator("main.narrow")).to_be_visible()
        expect(self.page.locator("#words")).not_to_have_text("One moment …")

    def says(self, title: str) -> None:
        expect(self.page.locator("#title")).to_have_text(title)
        expect(self.page.locator("#title")).to_be_focused()

    def keeps_no_token(self) -> None:
        """Look for the tokens of the links wherever a browser keeps something."""
        assert self.tokens
        stores = self.page.evaluate(STORES)
        assert {**stores, "databases": []} == NOTHING
        assert [token for token in self.tokens if token in str(stores)] == []
        urls = self.history()
        assert urls
        assert [url for url in urls if any(token in url for token in self.tokens)] == []

    def history(self) -> list[str]:
        """Return the URLs of this tab's history."""
        session = self.page.context.new_cdp_session(self.page)
        entries = session.send("Page.getNavigationHistory")["entries"]
        session.detach()
        return [entry["url"] for entry in entries] + [entry["userTypedURL"] for entry in entries]
