"""Sessions bound to a key of the browser: what the demo shows, and what a thief gets."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, BrowserType, expect

from tests.browser.conftest import Demo
from tests.browser.stores import NOTHING, STORES, holds_only_a_key
from tests.browser.thief import steal
from tests.support.dpop import Prover
from tests.support.running_service import Service

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


@pytest.mark.usefixtures("movable_clock")
def test_a_copied_cookie_is_refused_and_the_page_goes_on_and_shows_it(
    demo: Demo, service: Service, email: str
) -> None:
    demo.enter(email)
    demo.is_bound()
    assert steal(demo, service) == (401, "dpop_proof_missing")
    forged = Prover(service.url).proof("/auth/refresh")
    assert steal(demo, service, DPoP=forged) == (401, "dpop_proof_invalid")
    demo.let_the_token_expire()
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
    keys: list[str] = []
    context.on(
        "request", lambda request: keys.append(request.headers.get("dpop", "").split(".")[0])
    )
    demo.enter(email)
    other = Demo(context.new_page(), service.url)
    other.is_logged_in(email)
    other.is_bound()
    proofs = [key for key in keys if key]
    assert len(proofs) >= 2  # of the login, and of the other tab's refresh
    assert len(set(proofs)) == 1
    assert holds_only_a_key(other.page.evaluate(STORES), service.url)
    demo.page.get_by_role("button", name="Log out here").click()
    for tab in (demo, other):
        tab.is_logged_out()
        expect(tab.page.locator("#key")).to_have_text("none")
        assert tab.page.evaluate(STORES) == NOTHING
    other.enter(email, "Log in")
    other.is_bound()
    demo.is_logged_in(email)
    demo.is_bound()


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
            demo.is_bound()


@pytest.mark.usefixtures("movable_clock")
@pytest.mark.parametrize("reloads", [True, False], ids=["at-load", "in-use"])
def test_a_lost_key_logs_out_without_a_loop_and_the_next_login_makes_another(
    demo: Demo, service: Service, email: str, reloads: bool
) -> None:
    page = demo.page
    demo.enter(email)
    demo.is_bound()
    refreshes: list[str] = []
    page.on("request", lambda request: refreshes.append(request.url.rpartition("/")[2]))
    page.evaluate(LOSE_THE_KEY, f"authsvc {service.url}/")
    if reloads:
        page.reload()
    else:
        demo.let_the_token_expire()
        page.get_by_role("button", name="Send a request").click()
    demo.is_logged_out()
    page.wait_for_timeout(1_000)  # a loop would go on
    assert 1 <= refreshes.count("refresh") <= 2
    assert page.context.cookies() != []
    demo.enter(email, "Log in")
    demo.is_bound()
