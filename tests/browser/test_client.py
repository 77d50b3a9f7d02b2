"""authsvc.js in a real browser: its locks, a page's return from the history, frames and workers."""

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route

from tests.browser.conftest import PASSWORD
from tests.support.running_service import Service

OPEN = """async ([url, email, password]) => {
  const { createAuth } = await import(`${url}/static/authsvc.js`);
  globalThis.auth = createAuth({ baseUrl: url });
  if (!email) return null;
  await auth.register(email, password);
  return (await auth.login(email, password)).email;
}"""
COME_BACK = """() => {
  dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  return new Promise((resolve) => auth.onChange(resolve));
}"""
ASK = "createAuth({ baseUrl: '/' }).restore().catch(() => {});"
IN_A_FRAME = f"""([url]) => {{
  const frame = document.createElement("iframe");
  frame.srcdoc = `<script type=module>
    import {{ createAuth }} from "${{url}}/static/authsvc.js"; {ASK}</script>`;
  document.body.append(frame);
}}"""
IN_A_WORKER = f"""([url]) => {{
  const code = `import {{ createAuth }} from "${{url}}/static/authsvc.js"; {ASK}`;
  const script = new Blob([code], {{ type: "text/javascript" }});
  globalThis.worker = new Worker(URL.createObjectURL(script), {{ type: "module" }});
}}"""
WITH_A_BASE = f"""async ([url]) => {{
  const base = document.createElement("base");
  base.href = "https://cdn.example/";
  document.head.append(base);
  const {{ createAuth }} = await import(`${{url}}/static/authsvc.js`);
  {ASK}
}}"""


def test_a_login_in_one_tab_waits_for_the_logout_of_another(
    page: Page, context: BrowserContext, service: Service, spa: str, email: str
) -> None:
    page.goto(spa)
    page.evaluate(OPEN, [service.url, email, PASSWORD])
    other = context.new_page()
    other.goto(spa)
    other.evaluate(OPEN, [service.url])
    held: list[Route] = []
    page.route("**/auth/logout", lambda route: held.append(route))
    with page.expect_request("**/auth/logout"):
        page.evaluate("() => void (globalThis.ended = auth.logout())")
    sent: list[Request] = []
    other.on("request", lambda request: sent.append(request))
    login = "([email, password]) => void (globalThis.login = auth.login(email, password))"
    other.evaluate(login, [email, PASSWORD])
    other.wait_for_timeout(300)
    assert sent == []
    held[0].continue_()
    page.evaluate("ended")
    assert other.evaluate("async () => (await login).email") == email
    assert other.evaluate("async () => (await auth.restore()).email") == email


def test_a_page_from_the_history_finds_out_that_its_session_has_ended(
    page: Page, service: Service, spa: str, email: str, context: BrowserContext
) -> None:
    page.goto(spa)
    page.evaluate(OPEN, [service.url, email, PASSWORD])
    context.clear_cookies()
    assert page.evaluate(COME_BACK) is None
    assert page.evaluate("auth.status") == "out"


@pytest.mark.parametrize("script", [IN_A_FRAME, IN_A_WORKER, WITH_A_BASE])
def test_a_relative_url_is_on_the_pages_origin(
    page: Page, service: Service, spa: str, script: str
) -> None:
    page.goto(f"{spa}/users/7")
    with page.context.expect_event(
        "request", lambda request: request.url.endswith("/auth/refresh")
    ) as asked:
        page.evaluate(script, [service.url])
    assert asked.value.url == f"{spa}/auth/refresh"
