"""Where this machine's Chromium is; Playwright's own is not asked for."""

import shutil

NO_CHROMIUM = "Chromium is not installed here: the browser tests were left out."


def find_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")
