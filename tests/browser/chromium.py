"""Where this machine's Chromium is; Playwright's own is not asked for."""

import shutil

NO_CHROMIUM = "Chromium is not installed here: the browser tests were left out."
NO_SUGGESTIONS = "disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup"
"""A flag of the whole browser: no window loads the two pages that show the suggestions of its
address bar, which need more CPU time than the browser's start. It replaces Playwright's own list.
"""


def find_chromium() -> str | None:
    """Return the whole browser, for what its headless shell lacks, as device bound sessions."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def find_headless_shell() -> str | None:
    """Return Chromium without a user interface if it is installed, which needs half the CPU time;
    otherwise the whole browser.
    """
    return shutil.which("chromium-headless-shell") or find_chromium()
