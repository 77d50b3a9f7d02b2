"""An authenticator in the browser, by the WebAuthn domain of Chrome's DevTools protocol."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page, expect

COUNT_PROMPTS = """(() => {
  globalThis.prompts = 0;
  const get = navigator.credentials.get.bind(navigator.credentials);
  navigator.credentials.get = (options) => {
    const answer = get(options);
    prompts += 1;
    return answer;
  };
})()"""


@dataclass(frozen=True)
class VirtualAuthenticator:
    """A device that keeps passkeys, and answers the prompts of one page.

    Args:
        page: that page.
        session: of the DevTools protocol, with that page.
        id: the authenticator's.
    """

    page: Page
    session: CDPSession
    id: str

    def send(self, method: str, **given: Any) -> dict[str, Any]:
        """Call a method of the WebAuthn domain for this authenticator."""
        return self.session.send(f"WebAuthn.{method}", {"authenticatorId": self.id, **given})

    def add_passkey(self, name: str) -> None:
        """Add a passkey to the account of the demo page."""
        self.page.get_by_role("button", name="Add a passkey").click()
        self.page.locator("#passkey-name").fill(name)
        self.page.get_by_role("button", name="Create it").click()
        expect(self.page.locator("#list-notice")).to_contain_text(f"“{name}” is added")

    def passkeys(self) -> list[dict[str, Any]]:
        """Return the passkeys that it keeps."""
        kept: list[dict[str, Any]] = self.send("getCredentials")["credentials"]
        return kept

    def forget(self) -> None:
        """Forget each passkey, as a new device that replaces a lost one."""
        self.send("clearCredentials")

    def remove(self) -> None:
        """Take it away, with its passkeys. A page can have one that is built in."""
        self.send("removeVirtualAuthenticator")

    def let_person(self, *, agree: bool) -> None:
        """Let the person agree to each prompt, or fail at proving who they are."""
        self.send("setUserVerified", isUserVerified=agree)

    @contextmanager
    def person_is_away(self) -> Iterator[None]:
        """Leave open each prompt and suggestion that begins in the block; there must be one.

        Later ones are answered at once. One that was left open stays so until the page ends it.
        """
        before = self.page.evaluate("prompts")
        self.send("setAutomaticPresenceSimulation", enabled=False)
        yield
        self.page.wait_for_function("before => prompts > before", arg=before)
        self.send("setAutomaticPresenceSimulation", enabled=True)


def add_authenticator(page: Page, *, synced: bool = False) -> VirtualAuthenticator:
    """Give a page an authenticator that is built into its device, and verifies its person.

    Args:
        page: every document that it shows can use the authenticator.
        synced: whether its passkeys may be copied to the person's other devices.
    """
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        "defaultBackupEligibility": synced,
        "defaultBackupState": synced,
    }
    page.add_init_script(COUNT_PROMPTS)
    page.evaluate(COUNT_PROMPTS)
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return VirtualAuthenticator(page, session, added["authenticatorId"])
