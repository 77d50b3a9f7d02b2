"""Bound sessions in a real browser: IndexedDB and WebCrypto, a service worker, a wrong clock."""

import time

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PASSWORD, Blank
from tests.support.running_service import Service

OPEN = """async ([url, email, password]) => {
  const { createAuth } = await import(`${url}/static/authsvc.js`);
  globalThis.auth = createAuth({ baseUrl: url, bind: true });
  if (!password) return [(await auth.restore())?.email, auth.bound];
  await auth.register(email, password);
  return [(await auth.login(email, password)).email, auth.bound];
}"""
READ = """async ([url]) => {
  const opening = indexedDB.open(`authsvc ${url}/`);
  await new Promise((done) => (opening.onsuccess = done));
  const request = opening.result.transaction("key").objectStore("key").get("key");
  await new Promise((done) => (request.onsuccess = done));
  const { privateKey, jwk, ...more } = request.result;
  const exported = await crypto.subtle.exportKey("jwk", privateKey).catch((error) => error.name);
  return [privateKey.extractable, exported, Object.keys(more)];
}"""
WORKER = """
import {{ createAuth }} from "{url}/static/authsvc.js";
import * as bind from "{url}/static/authsvc-binding.js";
const auth = createAuth({{ baseUrl: "{url}", bind }});
onmessage = async ({{ ports: [port] }}) => {{
  const user = await auth.restore().catch((error) => ({{ email: String(error) }}));
  port.postMessage([user?.email, auth.bound]);
}};
"""
ASK_THE_WORKER = """async () => {
  await navigator.serviceWorker.register("/worker.js", { type: "module" });
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  active.postMessage("", [port2]);
  return new Promise((done) => (port1.onmessage = ({ data }) => done(data)));
}"""


def test_after_a_reload_the_key_is_there_and_no_script_can_read_it(
    page: Page, service: Service, spa: str, email: str
) -> None:
    page.goto(spa)
    assert page.evaluate(OPEN, [service.url, email, PASSWORD]) == [email, True]
    page.reload()
    assert page.evaluate(OPEN, [service.url]) == [email, True]
    assert page.evaluate(READ, [service.url]) == [False, "InvalidAccessError", ["sid"]]


def test_a_service_worker_shares_the_key(
    page: Page, service: Service, spa: str, email: str
) -> None:
    Blank.scripts["/worker.js"] = WORKER.format(url=service.url)
    page.goto(spa)
    page.evaluate(OPEN, [service.url, email, PASSWORD])
    assert page.evaluate(ASK_THE_WORKER) == [email, True]


@pytest.mark.parametrize("hours", [2, -87_600])
def test_a_page_of_another_origin_with_a_wrong_clock_logs_in(
    page: Page, service: Service, spa: str, email: str, hours: int
) -> None:
    page.clock.set_system_time(time.time() + hours * 3_600)
    page.goto(spa)
    sent: list[int] = []
    page.on("response", lambda got: "/auth/login" in got.url and sent.append(got.status))
    assert page.evaluate(OPEN, [service.url, email, PASSWORD]) == [email, True]
    assert sent == [401, 200]


def test_a_browser_without_the_key_is_logged_out_by_the_cookie_alone(
    page: Page, browser: Browser, service: Service, spa: str, email: str
) -> None:
    page.goto(spa)
    page.evaluate(OPEN, [service.url, email, PASSWORD])
    with browser.new_context() as thief:
        thief.add_cookies(page.context.cookies())  # type: ignore[arg-type]
        other = thief.new_page()
        other.goto(spa)
        assert other.evaluate(OPEN, [service.url]) == [None, None]
    assert page.evaluate(OPEN, [service.url]) == [email, True]
