"""GET /docs in a browser: for everybody, at each width, without a script and without a network."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.gunicorn_server import Service


@pytest.mark.parametrize("width", [390, 1000, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_and_nothing_sticks_out(
    page: Page, service: Service, axe: str, theme: str, width: int
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{service.url}/docs")
    page.evaluate(axe)
    audit = "async () => (await axe.run()).violations.map((v) => [v.id, v.nodes[0].html])"
    assert page.evaluate(audit) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []  # its policy forbids nothing that it asks for


def test_the_type_of_a_problem_leads_to_its_explanation(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/docs#rate_limited")
    explained = page.get_by_role("article", name="rate_limited")
    expect(explained).to_be_in_viewport()
    expect(explained).to_contain_text("Wait for the seconds in Retry-After")
