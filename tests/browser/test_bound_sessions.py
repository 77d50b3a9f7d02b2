"""Sessions bound to a key of the browser: what the demo shows, and what a thief gets."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Page, expect

from tests.browser.conftest import PASSWORD, Demo
from tests.browser.demo_states import WITHOUT_STORE
from tests.browser.stores import NOTHING, STORES, holds_only_a_key
from tests.support.dpop import Prover
from tests.support.gunicorn_server import Service, new_database, serving

USE_THE_KEY = """async ([name, format]) => {
  const opening = indexedDB.open(name);
  await new Promise((resolve) => (opening.onsuccess = resolve));
  const reading = opening.result.transaction("key").objectStore("key").get("key");
  await new Promise((resolve) => (reading.onsuccess = resolve));
  opening.result.close();
  const { privateKey } = reading.result;
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const { byteLength } = await crypto.subtle.sign(algorithm, privateKey, new Uint8Array(1));
  const taken = await crypto.subtle.exportKey(format, privateKey).catch((error) => error.name);
  return [byteLength, taken];
}"""
LOSE_THE_KEY = """(name) => new Promise((resolve) => {
  indexedDB.deleteDatabase(name).onsuccess = () => resolve();
})"""
LOG_IN = """async ([url, email, password]) => {
  const { createAuth } = await import(`${url}/static/authsvc.js`);
  const auth = createAuth({ baseUrl: url, bind: true });
  await auth.register(email, password);
  await auth.login(email, password);
  await auth.refresh();
  return [auth.bound, (await auth.sessions.list()).map(({ bound }) => bound)];
}"""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that opens only bound sessions."""
    folder = tmp_path_factory.mktemp("strict")
    settings = {"demo": "true", "require_bound_sessions": "true", "rate_limit_factor": "100"}
    with serving(new_database(folder), folder / "log", workers=1, **settings) as running:
        yield running


def is_bound(demo: Demo) -> None:
    expect(demo.page.locator("#key")).to_have_text("Bound to this browser")
    expect(demo.page.locator("#bound")).to_be_visible()
    session = demo.page.locator("#sessions li", has_text="this one")
    expect(session).to_contain_text("Bound to a key of its browser.")


def steal(demo: Demo, service: Service, **headers: str) -> tuple[int, str]:
    """Use the cookies of the browser in another client; return the status and the code."""
    jar = demo.page.context.cookies()
    copied = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in jar)
    sent = {"Host": f"localhost:{service.port}", "Cookie": copied, **headers}
    with service.connected() as connection:
        connection.request("POST", "/auth/refresh", headers=sent)
        response = connection.getresponse()
        return response.status, json.loads(response.read()).get("code")


def test_a_copied_cookie_is_refused_and_the_page_goes_on_and_shows_it(
    demo: Demo, service: Service, email: str
) -> None:
    demo.enter(email)
    is_bound(demo)
    assert steal(demo, service) == (401, "dpop_proof_missing")
    forged = Prover(service.url).proof("/auth/refresh")
    assert steal(demo, service, DPoP=forged) == (401, "dpop_proof_invalid")
    demo.wait_until_the_token_has_expired()
    demo.ask(200)
    demo.is_logged_in(email)
    demo.page.get_by_role("button", name="Look again").click()
    warnings = demo.page.locator("#activity li.warning .title")
    expect(warnings).to_have_text(
        [
            "The cookie was used with a wrong key and refused. warning",
            "The cookie was used without its key and refused. warning",
        ]
    )
    expect(demo.page.locator("#sessions .warning")).to_contain_text("wrong key")


def test_the_page_shows_the_command_of_a_thief(demo: Demo, service: Service, email: str) -> None:
    demo.enter(email)
    demo.page.get_by_text("Try it as a thief").click()
    url = f"{service.url}/auth/refresh"
    expect(demo.page.locator("#thief")).to_have_text(
        f"curl -X POST -b '__Host-refresh_token=PASTE-IT-HERE' {url}"
    )


def test_a_script_can_use_the_key_and_not_read_it(demo: Demo, service: Service, email: str) -> None:
    demo.enter(email)
    for format in ("jwk", "pkcs8"):
        used = demo.page.evaluate(USE_THE_KEY, [f"authsvc {service.url}/", format])
        assert used == [64, "InvalidAccessError"]


def test_two_tabs_share_the_key_and_logging_out_deletes_it_for_both(
    demo: Demo, service: Service, email: str, context: BrowserContext
) -> None:
    keys: set[str] = set()
    context.on("request", lambda request: keys.add(request.headers.get("dpop", "").split(".")[0]))
    demo.enter(email)
    other = Demo(context.new_page(), service.url)
    other.is_logged_in(email)
    is_bound(other)
    for tab in (demo, other):
        tab.wait_until_the_token_has_expired()
        tab.ask(200)
    assert len(keys - {""}) == 1
    assert holds_only_a_key(other.page.evaluate(STORES), service.url)
    demo.page.get_by_role("button", name="Log out here").click()
    for tab in (demo, other):
        tab.is_logged_out()
        expect(tab.page.locator("#key")).to_have_text("none")
        assert tab.page.evaluate(STORES) == NOTHING
    other.enter(email, "Log in")
    is_bound(other)
    demo.is_logged_in(email)
    is_bound(demo)


def test_a_restart_of_the_browser_keeps_the_session(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    service: Service,
    email: str,
    tmp_path: Path,
) -> None:
    for is_first in (True, False):
        with browser_type.launch_persistent_context(
            tmp_path, reduced_motion="reduce", **browser_type_launch_args
        ) as context:
            demo = Demo(context.pages[0], service.url)
            if is_first:
                demo.enter(email)
            demo.is_logged_in(email)
            is_bound(demo)


@pytest.mark.parametrize("reloads", [True, False], ids=["at-load", "in-use"])
def test_a_lost_key_logs_out_without_a_loop_and_the_next_login_makes_another(
    demo: Demo, service: Service, email: str, reloads: bool
) -> None:
    page = demo.page
    demo.enter(email)
    is_bound(demo)
    refreshes: list[str] = []
    page.on("request", lambda request: refreshes.append(request.url.rpartition("/")[2]))
    page.evaluate(LOSE_THE_KEY, f"authsvc {service.url}/")
    if reloads:
        page.reload()
    else:
        demo.wait_until_the_token_has_expired()
        page.get_by_role("button", name="Send a request").click()
    demo.is_logged_out()
    page.wait_for_timeout(1_000)  # a loop would go on
    assert 1 <= refreshes.count("refresh") <= 2
    assert page.context.cookies() != []
    demo.enter(email, "Log in")
    is_bound(demo)


@pytest.mark.parametrize("hours", [-2, 87_600], ids=["two-hours-behind", "ten-years-ahead"])
def test_a_wrong_clock_of_the_browser_logs_in_and_refreshes_by_a_nonce(
    page: Page, service: Service, email: str, hours: int
) -> None:
    page.clock.install(time=datetime.now() + timedelta(hours=hours))
    answers: list[tuple[str, int]] = []
    page.on(
        "response", lambda got: answers.append((got.request.url.rpartition("/")[2], got.status))
    )
    demo = Demo(page, service.url)
    demo.enter(email)
    is_bound(demo)
    assert [answer for answer in answers if answer[0] == "login"] == [
        ("login", 401),
        ("login", 200),
    ]
    page.reload()
    demo.is_logged_in(email)
    is_bound(demo)
    assert ("refresh", 401) in answers
    assert demo.faults == []


def test_a_browser_without_a_store_logs_in_unbound_and_says_so(
    page: Page, service: Service, email: str
) -> None:
    page.add_init_script(WITHOUT_STORE)
    demo = Demo(page, service.url)
    demo.enter(email)
    expect(page.locator("#key")).to_have_text("Not bound")
    expect(page.locator("#unbound-words")).to_be_visible()
    expect(page.locator("#bound")).to_be_hidden()
    expect(page.locator("#bound-words")).to_be_hidden()
    expect(page.locator("#sessions li")).to_contain_text("Not bound: its cookie alone is enough.")
    page.reload()
    demo.is_logged_in(email)
    assert steal(demo, service)[0] == 200
    assert demo.faults == []


def test_a_page_of_another_origin_binds_too_even_if_the_clock_is_wrong(
    page: Page, service: Service, spa: str, email: str
) -> None:
    page.clock.install(time=datetime.now() + timedelta(hours=2))  # DPoP-Nonce must be exposed
    page.goto(spa)
    assert page.evaluate(LOG_IN, [service.url, email, PASSWORD]) == [True, ["key"]]


def test_the_demo_works_where_only_bound_sessions_are_opened(
    page: Page, strict: Service, email: str
) -> None:
    demo = Demo(page, strict.url)
    demo.enter(email)
    is_bound(demo)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(f"{PASSWORD} again")
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("#change-notice")).to_contain_text("The password is changed.")
    page.reload()
    demo.is_logged_in(email)
    is_bound(demo)


def test_where_only_bound_sessions_are_opened_a_browser_without_a_store_is_refused_in_words(
    page: Page, strict: Service, email: str
) -> None:
    page.add_init_script(WITHOUT_STORE)
    demo = Demo(page, strict.url)
    demo.fill(email, "Create account", PASSWORD)
    expect(page.locator("#register-error")).to_contain_text("only sessions that are bound")
