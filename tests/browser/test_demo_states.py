"""Each state of the demo page: accessible, nothing cut off, in light and dark, at each width."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.demo_stage import Stage, Story, demo_service, staged
from tests.browser.demo_states import STORIES, name_of, offline, unreachable_at_load
from tests.support.running_service import Service

VIOLATIONS = """async () => (await axe.run({ resultTypes: ["violations"] }))
    .violations.map((v) => [v.id, v.nodes[0].html])"""
CUT_OFF = """() => [...document.querySelectorAll("body, body *")].filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    if (!width || element.closest(".skip, thead, noscript, svg, .scroll, input")) return false;
    const isDialog = element.localName === "dialog";
    const overflows = getComputedStyle(element).display !== "inline"
        && element.scrollWidth > element.clientWidth + 1;
    const covers = ["fixed", "sticky"].includes(getComputedStyle(element).position) && !isDialog;
    return left < 0 || right > innerWidth + 0.5 || overflows || covers;
}).map((element) => `${innerWidth}: ${element.outerHTML.slice(0, 200)}`)"""
SCROLLS = """() => [...document.querySelectorAll(".scroll")]
    .map((table) => table.scrollWidth - table.clientWidth).filter((hidden) => hidden > 0)"""
FITS = f"() => [document.documentElement.scrollWidth, ({CUT_OFF})(), ({SCROLLS})()]"
NEGATIVE = """() => [...document.querySelectorAll("#timeline rect")].filter(
    (rect) => !(rect.getAttribute("width") >= 0)).length"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Path]]:
    with demo_service(tmp_path_factory.mktemp("states")) as started:
        yield started


@pytest.fixture
def stage(browser: Browser, running: tuple[Service, Path]) -> Iterator[Stage]:
    faults: list[str] = []
    with staged(browser, *running) as opened:
        opened.page.on("pageerror", lambda error: faults.append(str(error)))
        yield opened
    assert faults == []


@pytest.mark.parametrize("story", STORIES, ids=lambda story: "+".join(map(name_of, story)))
def test_each_state_is_accessible_and_fits(stage: Stage, axe: str, story: Story) -> None:
    for state in story:
        state(stage)
        is_accessible_and_fits(stage.page, axe, name_of(state))


def is_accessible_and_fits(page: Page, axe: str, name: str) -> None:
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(axe)
    themes: dict[int, Any] = {320: "light", 375: None, 768: None, 1280: "dark"}
    for width, theme in themes.items():
        page.set_viewport_size({"width": width, "height": 900})
        if theme:
            page.emulate_media(color_scheme=theme)
            assert page.evaluate(VIOLATIONS) == [], name
        widest, *wrong = page.evaluate(FITS)
        assert wrong == [[], []], name
        assert widest <= width, name
    assert page.evaluate(NEGATIVE) == 0, name


def test_sessions_are_told_apart_by_browser_system_address_and_last_use(stage: Stage) -> None:
    account = stage.new_account()
    stage.log_in_elsewhere(account)
    stage.log_in(account)
    items = [
        " ".join(text.split()) for text in stage.page.locator("#sessions li").all_inner_texts()
    ]
    assert [item.split(" Logged in ")[0] for item in items] == [
        "Chrome on Linux this one 127.0.0.1, in use now",
        "Safari on iPhone 203.0.113.24, last used 3 hours ago",
        "Firefox on Windows 2001:db8:4f:12::9a3, last used 1 day ago",
        "curl 198.51.100.7, last used 2 days ago",
    ]


def test_the_timeline_counts_in_minutes_for_tokens_of_ten_minutes(stage: Stage) -> None:
    stage.log_in(stage.new_account())
    ticks = stage.page.locator("#timeline .time")
    expect(ticks).to_have_text(["10 min ago", "5 min ago", "now", "in 5 min"])
    expect(stage.page.locator("#keep-words")).to_have_text("one every 40 seconds")
    expect(stage.page.locator("#memory")).to_contain_text("min")


def test_a_timeline_without_width_is_not_drawn(stage: Stage) -> None:
    stage.log_in(stage.new_account())
    stage.page.evaluate("document.querySelector('.stage').style.display = 'none'")
    stage.page.clock.install()
    stage.page.clock.run_for(3_000)
    assert stage.page.evaluate(NEGATIVE) == 0


def test_the_notice_of_a_lost_connection_goes_when_it_is_back(stage: Stage) -> None:
    stage.log_in(stage.new_account())
    offline(stage)
    stage.page.context.set_offline(False)
    stage.page.get_by_role("button", name="Send a request").click()
    expect(stage.page.locator("#log .good").first).to_be_visible()
    expect(stage.page.locator("#connection")).to_be_empty()
    expect(stage.page.locator("#person")).to_be_visible()


def test_the_page_asks_again_when_the_service_did_not_answer_at_load(stage: Stage) -> None:
    unreachable_at_load(stage)
    expect(stage.page.locator("#entrance")).to_be_hidden()
    stage.page.unroute("**/auth/refresh")
    stage.page.get_by_role("button", name="Try again").click()
    expect(stage.page.locator("#entrance")).to_be_visible()
    expect(stage.page.locator("#pill")).to_have_text("Logged out")


def test_the_other_form_opens_with_the_address_that_was_typed(stage: Stage) -> None:
    stage.open()
    stage.page.locator("#register-email").fill("alice@example.com")
    stage.page.locator("#register-password").fill("a secret")
    stage.page.get_by_role("button", name="Log in", exact=True).click()
    expect(stage.page.locator("#email")).to_be_focused()
    expect(stage.page.locator("#email")).to_have_value("alice@example.com")
    expect(stage.page.locator("#register-password")).to_have_value("")
    stage.page.get_by_role("button", name="Create an account").click()
    expect(stage.page.locator("#register-email")).to_have_value("alice@example.com")
