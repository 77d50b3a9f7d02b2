"""GET /docs in a browser: accessible, at each width, without a script."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.running_service import Service

AUDIT = """async (options) => (await axe.run({ ...options, resultTypes: ["violations"] }))
    .violations.map((v) => [v.id, v.nodes[0].html])"""
RULES: dict[str, Any] = {"light": {}, "dark": {"runOnly": ["color-contrast", "link-in-text-block"]}}
"""The rules of each theme: the dark one differs in its colours alone, which are in variables."""


@pytest.fixture(scope="module")
def audited(browser: Browser, service: Service, axe: str) -> Iterator[tuple[Page, list[str]]]:
    """The page with axe, and the messages of its console."""
    messages: list[str] = []
    with browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.goto(f"{service.url}/docs")
        page.evaluate(axe)
        yield page, messages


@pytest.mark.parametrize("width", [390, 1000, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_and_nothing_overflows(
    audited: tuple[Page, list[str]], theme: Literal["light", "dark"], width: int
) -> None:
    page, messages = audited
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate(AUDIT, RULES[theme]) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert messages == []  # its policy allows everything that it loads


def test_the_type_of_a_problem_links_to_its_explanation(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/docs#rate_limited")
    explained = page.get_by_role("article", name="rate_limited")
    expect(explained).to_be_in_viewport()
    expect(explained).to_contain_text("Wait for the seconds in Retry-After")
