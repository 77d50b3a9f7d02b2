"""Modules of the demo page that put what the service says into words."""

from collections.abc import Iterator
from typing import get_args

import pytest
from playwright.sync_api import Browser, Page

from authsvc.audit.kinds import Kind
from tests.support.running_service import Service

AGENTS = {
    None: ("Unknown browser", "program"),
    "": ("Unknown browser", "program"),
    "python-requests/2.32.3": ("python-requests", "program"),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0": ("Edge on macOS", "computer"),
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36": (
        "Samsung Internet on Android",
        "phone",
    ),
    "Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36": ("Chrome on Android", "tablet"),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1": ("Chrome on iPhone", "phone"),
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36": ("Chrome on ChromeOS", "computer"),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0": ("Opera on Windows", "computer"),
    "<b>x</b>": ("Unknown browser", "program"),
}


@pytest.fixture(scope="module")
def opened(browser: Browser, service: Service) -> Iterator[Page]:
    """The demo page, which calls of its modules do not change."""
    faults: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{service.url}/demo")
        yield page
    assert faults == []


def test_user_agents_become_names(opened: Page) -> None:
    script = """async (agents) => {
        const { device } = await import(new URL("/demo/devices.js", location));
        return agents.map((agent) => Object.values(device(agent)));
    }"""
    names = opened.evaluate(script, list(AGENTS))
    assert [tuple(name) for name in names] == list(AGENTS.values())


def test_an_error_of_an_unknown_kind_is_shown_in_the_services_words(opened: Page) -> None:
    script = """async () => {
        const { sentence, sorted } = await import(new URL("/demo/sentences.js", location));
        const form = document.getElementById("register");
        const errors = [
            { pointer: "/email", code: "of_the_future", detail: "Its own words." },
            { pointer: "/password", code: "too_short", detail: "Short." },
            { pointer: "/invitation", code: "missing", detail: "An invitation is needed." },
        ];
        const { fields, rest } = sorted({ code: "validation_failed", errors }, form);
        const other = sentence({ code: "of_the_future", message: "Not today." });
        return [other, ...fields.values(), rest];
    }"""
    assert opened.evaluate(script) == [
        "Not today.",
        "Its own words.",
        "Use at least 15 characters. A few words are easy to remember.",
        "An invitation is needed.",
    ]


def test_each_security_event_has_a_sentence_and_signs_of_theft_are_warnings(opened: Page) -> None:
    script = """async (events) => {
        const { eventSentence } = await import(new URL("/demo/events.js", location));
        return events.map(([event, detail]) => Object.values(eventSentence({ event, detail })));
    }"""
    kinds = get_args(Kind)
    said = opened.evaluate(script, [[kind, None] for kind in kinds])
    wordless = [kind for kind, [words, _] in zip(kinds, said, strict=True) if words == kind]
    assert wordless == ["account_deleted"]  # its owner cannot see it
    assert [kind for kind, [_, warns] in zip(kinds, said, strict=True) if warns] == [
        "suspicious_use"
    ]
    details = [
        "dpop_proof_missing",
        "dpop_proof_invalid",
        "device_proof_missing",
        "refresh_token_expired",
    ]
    said = opened.evaluate(script, [["refresh_refused", detail] for detail in details])
    assert [warns for _, warns in said] == [True, True, True, False]
    said = opened.evaluate(script, [["of_the_future", None]])
    assert said == [["of_the_future", False]]
