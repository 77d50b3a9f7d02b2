"""GET /docs in a browser: accessible, at each width, without a script."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.running_service import Service


@pytest.mark.parametrize("width", [390, 1000, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_and_nothing_overflows(
    page: Page, service: Service, axe: str, theme: str, width: int
) -> None:
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{service.url}/docs")
    page.evaluate(axe)
    audit = "async () => (await axe.run()).violations.map((v) => [v.id, v.nodes[0].html])"
    assert page.evaluate(audit) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert messages == []  # its policy allows everything that it loads


def test_the_type_of_a_problem_links_to_its_explanation(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/docs#rate_limited")
    explained = page.get_by_role("article", name="rate_limited")
    expect(explained).to_be_in_viewport()
    expect(explained).to_contain_text("Wait for the seconds in Retry-After")
