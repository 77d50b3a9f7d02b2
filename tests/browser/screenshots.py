"""Photograph each state of the demo page, at each width, light and dark.

.venv/bin/python -m tests.browser.screenshots FOLDER [STATE …]
.venv/bin/python -m tests.browser.screenshots --docs    # the pictures of the README
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import find_chromium
from tests.browser.demo_stage import demo_service, staged
from tests.browser.demo_states import STORIES, logged_in, name_of
from tests.support.running_service import ROOT

WIDTHS = (320, 375, 768, 1280)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--no-first-run", "--hide-scrollbars"]


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser
        browser.close()


def photograph_states(folder: Path, names: list[str]) -> None:
    """Write one picture for each state, width and theme."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory() as data,
        demo_service(Path(data)) as (service, database),
        chromium() as browser,
    ):
        for story in STORIES:
            if names and not {*names} & {*map(name_of, story)}:
                continue
            with staged(browser, service, database, history=1.5) as stage:
                for state in story:
                    state(stage)
                    if not names or name_of(state) in names:
                        photograph(stage.page, folder, name_of(state))


def photograph(page: Page, folder: Path, name: str) -> None:
    for width, theme in product(WIDTHS, THEMES):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        has_dialog = page.locator("dialog[open]").count() > 0
        page.screenshot(path=folder / f"{name}-{width}-{theme}.png", full_page=not has_dialog)


def photograph_for_the_readme() -> None:
    """Show a session with tokens of a minute, as `make run` issues them."""
    with (
        TemporaryDirectory() as data,
        demo_service(Path(data), access_token_ttl="60") as (service, database),
        chromium() as browser,
        staged(browser, service, database, history=1.5) as stage,
    ):
        logged_in(stage)
        stage.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        stage.page.mouse.move(0, 0)
        places = stage.page.locator(".places").bounding_box()
        assert places
        height = places["y"] + places["height"] + 22
        for theme in THEMES:
            stage.page.emulate_media(color_scheme=theme)
            stage.page.screenshot(
                path=ROOT / "docs" / f"demo-{theme}.png",
                full_page=True,
                clip={"x": 0, "y": 0, "width": 1280, "height": height},
            )


if __name__ == "__main__":
    if sys.argv[1:] == ["--docs"]:
        photograph_for_the_readme()
    else:
        photograph_states(Path(sys.argv[1]), sys.argv[2:])
