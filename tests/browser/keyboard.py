"""A keyboard, with which a person moves the focus from element to element."""

from playwright.sync_api import Page


class Keyboard:
    """A person without a mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, id: str, key: str = "Tab") -> None:
        """Move the focus to the element of that id."""
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
