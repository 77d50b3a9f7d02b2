"""A person's phone, whose authenticator app (pyotp) has taken over the secret of the page."""

import time

import pyotp
from playwright.sync_api import Page, expect

MARGIN = 4
"""Seconds that a code must still be accepted, on a machine that runs other tests too."""


class Phone:
    """A phone beside a browser with the demo page.

    Each code works once, and codes of one step before and after now are accepted: so a test has
    three codes, one after the other, and hardly ever waits.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.last_step = 0
        self.app: pyotp.TOTP | None = None

    def scan(self) -> None:
        """Begin the set-up, and take over the secret."""
        self.page.get_by_role("button", name="Set up an authenticator app").click()
        self.take_over()

    def take_over(self) -> None:
        """Take over the secret that the page shows as text."""
        expect(self.page.locator("#secret")).not_to_be_empty()
        self.app = pyotp.TOTP(self.page.locator("#secret").inner_text().replace(" ", ""))

    def code(self) -> str:
        """Return a code that was not used."""
        assert self.app, "no secret was taken over"
        earliest = int((time.time() + MARGIN) // self.app.interval) - 1
        self.last_step = step = max(earliest, self.last_step + 1)
        while step > time.time() // self.app.interval + 1:
            time.sleep(0.1)  # the service accepts it from then on
        return self.app.at(step * self.app.interval)

    def set_up(self) -> list[str]:
        """Set up the app, and return the recovery codes that the page then shows."""
        self.scan()
        return self.turn_on()

    def turn_on(self) -> list[str]:
        """Give the first code to the page, and return the recovery codes that it then shows."""
        self.page.locator("#app-code").fill(self.code())
        self.page.get_by_role("button", name="Turn it on").click()
        expect(self.page.locator("#codes")).to_be_visible()
        return self.page.locator("#code-list code").all_inner_texts()
