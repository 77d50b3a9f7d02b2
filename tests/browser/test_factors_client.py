"""authsvc-factors.js in a real browser: passkeys, autofill and reauthentication."""

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import PASSWORD
from tests.browser.virtual_authenticator import VirtualAuthenticator, add_authenticator
from tests.support.authenticator_app import AuthenticatorApp
from tests.support.running_service import Service

OPEN = """async ([url, email, password]) => {
  const { createAuth } = await import(`${url}/static/authsvc.js`);
  const { withFactors } = await import(`${url}/static/authsvc-factors.js`);
  globalThis.asked = [];
  globalThis.auth = withFactors(createAuth({ baseUrl: url, bind: true }), {
    async onReauthenticate({ methods }) {
      asked.push(methods);
      await auth.reauthenticate(globalThis.code ? { code } : { passkey: true });
    },
  });
  if (!email) return (await auth.restore())?.email;
  await auth.register(email, password);
  return (await auth.login(email, password)).email;
}"""
WITH_PASSKEY = """async () => {
  await auth.factors.addPasskey("Laptop");
  await auth.logout();
}"""
LOG_IN = "async () => (await auth.loginWithPasskey()).email"
FAIL = "async () => auth.loginWithPasskey().catch(({ code, cause }) => [code, cause.name])"
START_AUTOFILL = """() => {
  globalThis.filled = auth.loginWithPasskey({ autofill: true }).catch((error) => error.code);
}"""
CLAIMS = """async () => {
  const payload = (await auth.token()).split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
  const { acr, auth_time } = JSON.parse(atob(payload));
  return [acr, auth_time];
}"""
AS_IN_AN_OLDER_BROWSER = """() => {
  delete PublicKeyCredential.parseCreationOptionsFromJSON;
  delete PublicKeyCredential.parseRequestOptionsFromJSON;
  delete PublicKeyCredential.prototype.toJSON;
}"""
RENEW_OFTEN = """() => {
  const { setInterval } = globalThis;
  globalThis.setInterval = (work) => setInterval(work, 100);
}"""
BEGIN = "async () => (await auth.factors.beginTotp()).uri"
CONFIRM = "async (code) => (await auth.factors.confirmTotp(code)).length"
LOG_IN_WITH = """async ([email, password, factor]) => {
  const error = await auth.login(email, password).catch((error) => error);
  return [error.code, error.methods, (await auth.login(email, password, factor)).email];
}"""
REPLACE = "async (code) => [(await auth.factors.replaceRecoveryCodes()).length, asked]"


@pytest.fixture
def passkeys(page: Page, service: Service, spa: str, email: str) -> VirtualAuthenticator:
    """Open the page of a user who has a passkey, and is logged out."""
    page.goto(spa)
    added = add_authenticator(page)
    assert page.evaluate(OPEN, [service.url, email, PASSWORD]) == email
    page.evaluate(WITH_PASSKEY)
    return added


def open_tab(context: BrowserContext, service: Service, spa: str) -> Page:
    tab = context.new_page()
    tab.goto(spa)
    tab.evaluate(OPEN, [service.url])
    return tab


def test_a_passkey_logs_in_and_authenticates_again_in_a_bound_session(
    page: Page, passkeys: VirtualAuthenticator, email: str
) -> None:
    assert len(passkeys.passkeys()) == 1
    assert page.evaluate(LOG_IN) == email
    assert page.evaluate("auth.bound") is True
    level, before = page.evaluate(CLAIMS)
    assert level == "aal2"
    token = page.evaluate("auth.token()")
    page.evaluate("auth.reauthenticate({ passkey: true })")
    assert page.evaluate("auth.token()") != token
    level, after = page.evaluate(CLAIMS)
    assert level == "aal2"
    assert after >= before
    assert page.evaluate("auth.refresh().then((user) => [user.email, auth.bound])") == [email, True]


def test_an_older_browser_adds_a_passkey_and_logs_in_with_it(
    page: Page, service: Service, spa: str, email: str
) -> None:
    page.goto(spa)
    page.evaluate(AS_IN_AN_OLDER_BROWSER)
    add_authenticator(page, synced=True)
    page.evaluate(OPEN, [service.url, email, PASSWORD])
    page.evaluate(WITH_PASSKEY)
    assert page.evaluate(LOG_IN) == email
    assert page.evaluate("auth.factors.list().then(({ passkeys }) => passkeys[0].synced)") is True


def test_a_passkey_that_the_form_suggests_logs_in(
    page: Page, passkeys: VirtualAuthenticator, email: str
) -> None:
    page.evaluate(START_AUTOFILL)
    assert page.evaluate("filled.then((user) => [user.email, auth.status])") == [email, "in"]


def test_the_suggestions_go_on_with_the_next_challenge(
    page: Page, passkeys: VirtualAuthenticator, email: str
) -> None:
    page.evaluate(RENEW_OFTEN)
    with passkeys.person_is_away():
        page.evaluate(START_AUTOFILL)
        page.wait_for_function("prompts >= 4")
    assert page.evaluate("filled.then((user) => user.email)") == email


def test_a_prompt_takes_the_place_of_the_suggestions(
    page: Page, passkeys: VirtualAuthenticator, email: str
) -> None:
    with passkeys.person_is_away():
        page.evaluate(START_AUTOFILL)
    assert page.evaluate(LOG_IN) == email
    assert page.evaluate("filled") is None


def test_suggestions_end_at_a_login_with_the_password_and_at_an_abort(
    page: Page, passkeys: VirtualAuthenticator, email: str
) -> None:
    with passkeys.person_is_away():
        page.evaluate(START_AUTOFILL)
    login = "([email, password]) => auth.login(email, password, { passkey: true })"
    page.evaluate(login, [email, PASSWORD])
    assert page.evaluate("filled") is None
    aborted = """async () => {
      const { signal } = globalThis.abort = new AbortController();
      globalThis.filled = auth.loginWithPasskey({ autofill: true, signal }).catch(String);
    }"""
    with passkeys.person_is_away():
        page.evaluate(aborted)
    assert page.evaluate("abort.abort('enough'), filled") == "enough"


def test_a_person_who_closes_the_prompt_is_not_logged_in(
    page: Page, passkeys: VirtualAuthenticator, email: str
) -> None:
    passkeys.let_person(agree=False)
    assert page.evaluate(FAIL) == ["cancelled", "NotAllowedError"]
    passkeys.let_person(agree=True)
    assert page.evaluate(LOG_IN) == email
    exists = "auth.factors.addPasskey('Again').catch(({ code }) => code)"
    assert page.evaluate(exists) == "passkey_exists"


def test_a_session_without_the_second_factor_asks_for_it_once(
    page: Page, other_device: BrowserContext, service: Service, spa: str, email: str
) -> None:
    page.goto(spa)
    page.evaluate(OPEN, [service.url, email, PASSWORD])
    phone = open_tab(other_device, service, spa)
    phone.evaluate("([email, password]) => auth.login(email, password)", [email, PASSWORD])
    app = AuthenticatorApp(phone.evaluate(BEGIN))
    assert phone.evaluate(CONFIRM, app.code()) == 10
    page.evaluate("(code) => void (globalThis.code = code)", app.code(1))
    assert page.evaluate(REPLACE) == [10, [["totp"]]]
    assert page.evaluate(CLAIMS)[0] == "aal2"


def test_a_login_says_which_second_factor_is_missing(
    page: Page, service: Service, spa: str, email: str
) -> None:
    page.goto(spa)
    page.evaluate(OPEN, [service.url, email, PASSWORD])
    app = AuthenticatorApp(page.evaluate(BEGIN))
    page.evaluate(CONFIRM, app.code())
    page.evaluate("auth.logout()")
    assert page.evaluate(LOG_IN_WITH, [email, PASSWORD, {"code": app.code(1)}]) == [
        "second_factor_required",
        ["totp", "recovery_code"],
        email,
    ]


def test_three_tabs_follow_a_login_with_a_passkey_a_reauthentication_and_a_logout(
    page: Page, passkeys: VirtualAuthenticator, service: Service, spa: str, email: str
) -> None:
    tabs = [page, *(open_tab(page.context, service, spa) for _ in range(2))]
    page.evaluate(LOG_IN)
    for tab in tabs:
        tab.wait_for_function("email => auth.user?.email === email", arg=email)
    before = tabs[1].evaluate("auth.token()")
    page.evaluate("auth.reauthenticate({ passkey: true })")
    renewed = "before => auth.token().then((token) => token !== before)"
    tabs[1].wait_for_function(renewed, arg=before)
    assert {tab.evaluate("auth.bound") for tab in tabs} == {True}
    tabs[2].evaluate("auth.logout()")
    for tab in tabs:
        tab.wait_for_function("auth.status === 'out'")
