"""Pages of other origins: one that is allowed, and others that are not."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PASSWORD, Demo
from tests.support.running_service import Service

IMPORT = "const { createAuth } = await import(`${url}/static/authsvc.js`);"
LOG_IN = f"""async ([url, email, password]) => {{
  {IMPORT}
  const auth = createAuth({{ baseUrl: url }});
  await auth.register(email, password);
  await auth.login(email, password);
  return (await auth.fetch(`${{url}}/api/me`)).status;
}}"""
RESTORE = f"""async ([url]) => {{
  {IMPORT}
  return (await createAuth({{ baseUrl: url }}).restore())?.email;
}}"""
FETCH = """async ([url, path, body]) => {
  try {
    const headers = { "Content-Type": "application/json" };
    const init = { method: "POST", credentials: "include", headers, body };
    return await (await fetch(url + path, init)).text();
  } catch (error) { return error.name; }
}"""
SIMPLE_FETCH = FETCH.replace("application/json", "text/plain")
FORM = """([url, path, email, password]) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: url + path, enctype: "text/plain" });
  const field = document.createElement("input");
  [field.name, field.value] = [`{"email":"${email}","password":"${password}","x":"`, `"}`];
  form.append(field);
  document.body.append(form);
  form.submit();
}"""
Foreign = tuple[Page, Demo, str]
"""A page of another origin, the demo in the same browser, and the address of its user."""
PATHS = ["/auth/login", "/auth/refresh", "/auth/logout"]


def test_an_app_on_an_allowed_origin_logs_in_and_restores_its_session(
    page: Page, service: Service, spa: str, email: str
) -> None:
    page.goto(spa)
    assert page.evaluate(LOG_IN, [service.url, email, PASSWORD]) == 200
    page.reload()
    assert page.evaluate(RESTORE, [service.url]) == email


@pytest.fixture(scope="module", params=["localhost", "127.0.0.1"], ids=["same-site", "cross-site"])
def foreign(
    request: Any,
    browser: Browser,
    browser_context_args: dict[str, Any],
    service: Service,
    stranger: int,
) -> Iterator[Foreign]:
    """A page that is not allowed, in the browser of a user who is logged in."""
    email = f"alice.of.{request.param}@example.com"
    with browser.new_context(**browser_context_args) as context:
        demo = Demo(context.new_page(), service.url)
        demo.enter(email)
        page = context.new_page()
        page.goto(f"http://{request.param}:{stranger}")
        yield page, demo, email
        assert demo.faults == []


def test_a_page_that_is_not_allowed_gets_nothing_by_fetch(
    foreign: Foreign, service: Service
) -> None:
    page, demo, email = foreign
    cookies = demo.page.context.cookies()
    body = f'{{"email": "{email}", "password": "{PASSWORD}"}}'
    for script in (FETCH, SIMPLE_FETCH):
        for path in PATHS:
            assert page.evaluate(script, [service.url, path, body]) == "TypeError", path
    assert demo.page.context.cookies() == cookies
    demo.page.reload()
    demo.is_logged_in(email)


def test_a_page_that_is_not_allowed_gets_nothing_by_a_form(
    foreign: Foreign, service: Service
) -> None:
    page, demo, email = foreign
    cookies, address = demo.page.context.cookies(), page.url
    for path in PATHS:
        with page.expect_navigation(url=f"{service.url}{path}") as navigated:
            page.evaluate(FORM, [service.url, path, email, PASSWORD])
        assert navigated.value.status == 403
        assert navigated.value.json()["code"] == "cross_origin_refused"
        page.goto(address)
    assert demo.page.context.cookies() == cookies
    demo.page.reload()
    demo.is_logged_in(email)
