// What mails and their links do: verification, a new password, a new address.

import assert from "node:assert/strict";
import { test } from "node:test";

import { JSDOM } from "jsdom";

import {
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  hurry,
  loadModule,
  loggedIn,
  newEmail,
  openTab,
  until,
} from "./browser.mjs";
import { answerInstead, cut, holdBack, problem } from "./network.mjs";

const TOKEN = "a-token-of-a-mail";
const CHALLENGE = 'Bearer error="insufficient_user_authentication", max_age="600"';

const accepted = () => Response.json({}, { status: 202 });
const done = () => new Response(null, { status: 204 });
const refreshes = () => browser.requests("/auth/refresh").length;

/** Answer requests for the account with these members, as after a link was used. */
function setAccount(members) {
  const before = browser.network;
  browser.network = async (request, go) => {
    const answer = await before(request, go);
    if (new URL(request.url).pathname !== "/api/me") return answer;
    return Response.json({ ...(await answer.json()), ...members });
  };
}

const calls = {
  forgotPassword: ["/auth/password/forgot", accepted, ["a@example.com"], { email: "a@example.com" }],
  resendVerification: ["/auth/email/resend", accepted, ["a@example.com"], { email: "a@example.com" }],
  changeEmail: ["/api/me/email", accepted, ["a@example.com"], { email: "a@example.com" }],
  resetPassword: ["/auth/password/reset", done, [TOKEN, "b"], { token: TOKEN, new_password: "b" }],
  verifyEmail: ["/auth/email/verify", done, [TOKEN, "b"], { token: TOKEN, password: "b" }],
  confirmEmailChange: ["/auth/email/change", done, [TOKEN], { token: TOKEN }],
};
for (const [name, [path, answer, given, body]] of Object.entries(calls)) {
  test(`${name} sends its fields in the body, with the cookie, and resolves to nothing`, async () => {
    const { auth } = await loggedIn();
    let sent;
    answerInstead(path, (request) => {
      sent = request;
      return answer();
    });
    assert.equal(await auth[name](...given), undefined);
    assert.equal(sent.url, `${URL_OF_SERVICE}${path}`);
    assert.deepEqual([sent.method, sent.credentials], ["POST", "include"]);
    assert.deepEqual(await sent.json(), body);
    assert.equal(sent.headers.has("Authorization"), name === "changeEmail");
  });
}

const refusals = {
  token_invalid: ["resetPassword", "/auth/password/reset"],
  password_required: ["verifyEmail", "/auth/email/verify"],
  invalid_credentials: ["verifyEmail", "/auth/email/verify"],
  reauthentication_required: ["changeEmail", "/api/me/email"],
};
for (const [code, [name, path]] of Object.entries(refusals)) {
  test(`${code} rejects ${name}, and neither refreshes, repeats nor logs out`, async () => {
    const { auth, email } = await loggedIn();
    const headers = code === "reauthentication_required" ? { "WWW-Authenticate": CHALLENGE } : {};
    answerInstead(path, problem(401, code, headers));
    await assert.rejects(auth[name](TOKEN, PASSWORD), { name: "AuthError", code, status: 401 });
    assert.deepEqual(browser.sent.map((entry) => entry.path), [path]);
    assert.equal(auth.user.email, email);
  });
}

test("fetch hands a 401 of reauthentication_required to the caller as it is", async () => {
  const { auth } = await loggedIn();
  const refused = problem(401, "reauthentication_required", { "WWW-Authenticate": CHALLENGE });
  answerInstead("/api/me/email", refused);
  const response = await auth.fetch(`${URL_OF_SERVICE}/api/me/email`, { method: "POST" });
  assert.equal((await response.json()).code, "reauthentication_required");
  assert.equal(browser.sent.length, 1);
});

test("a verified address is known in every tab in which the user is logged in", async () => {
  const { auth } = await loggedIn();
  const other = openTab();
  assert.equal((await other.restore()).emailVerified, false);
  answerInstead("/auth/email/verify", done);
  setAccount({ email_verified: true });
  await auth.verifyEmail(TOKEN);
  assert.equal(auth.user.emailVerified, true);
  await until(() => other.user.emailVerified);
});

test("a changed address is known in every tab in which the user is logged in", async () => {
  const { auth } = await loggedIn();
  const other = openTab();
  await other.restore();
  const email = newEmail();
  answerInstead("/auth/email/change", done);
  setAccount({ email });
  await auth.confirmEmailChange(TOKEN);
  assert.equal(auth.user.email, email);
  await until(() => other.user.email === email);
});

test("a reset password logs out every tab of the account", async () => {
  const { auth } = await loggedIn();
  const other = openTab();
  await other.restore();
  browser.sent.length = 0;
  answerInstead("/auth/password/reset", done);
  answerInstead("/auth/refresh", ...Array(4).fill(problem(401, "refresh_token_revoked")));
  await auth.resetPassword(TOKEN, PASSWORD);
  assert.deepEqual([auth.status, auth.user, await auth.token()], ["out", null, null]);
  await until(() => other.status === "out");
});

test("the link of another account leaves the user logged in", async () => {
  const { auth, email } = await loggedIn();
  auth.onChange(() => assert.fail("the user has not changed"));
  answerInstead("/auth/password/reset", done);
  await auth.resetPassword(TOKEN, PASSWORD);
  assert.equal(auth.user.email, email);
  assert.equal(refreshes(), 1);
});

test("a page that is not logged in uses a link without asking for a session", async () => {
  const auth = openTab();
  answerInstead("/auth/email/verify", done);
  await auth.verifyEmail(TOKEN, PASSWORD);
  assert.equal(refreshes(), 0);
  assert.equal(auth.status, "unknown");
});

test("a restore that a link overtakes resolves to the account as it is after the link", async () => {
  await loggedIn();
  const auth = openTab();
  const gate = holdBack("/api/me", { answers: true });
  const restored = auth.restore();
  await gate.reached;
  answerInstead("/auth/email/verify", done);
  await auth.verifyEmail(TOKEN);
  setAccount({ email_verified: true });
  gate.letGo();
  assert.equal((await restored).emailVerified, true);
});

test("a link that was used is used, although the network fails after it", async () => {
  hurry();
  const { auth, email } = await loggedIn();
  answerInstead("/auth/email/verify", done);
  answerInstead("/auth/refresh", cut, cut, cut, cut);
  setAccount({ email_verified: true });
  await auth.verifyEmail(TOKEN);
  assert.deepEqual([auth.user.email, auth.user.emailVerified], [email, false]);
  await auth.token();
  assert.equal(auth.user.emailVerified, true);
});

test("an abort ends the waiting for the account of a used link; the refresh goes on", async () => {
  const { auth } = await loggedIn();
  answerInstead("/auth/email/verify", done);
  setAccount({ email_verified: true });
  const gate = holdBack("/auth/refresh");
  const abort = new AbortController();
  const reason = new Error("the page has moved on");
  const verified = auth.verifyEmail(TOKEN, undefined, { signal: abort.signal });
  await gate.reached;
  abort.abort(reason);
  await assert.rejects(verified, reason);
  gate.letGo();
  await until(() => auth.user.emailVerified);
});

test("registering resolves to null if the account waits for its link", async () => {
  const auth = openTab();
  answerInstead("/auth/register", accepted);
  assert.equal(await auth.register(newEmail(), PASSWORD), null);
});

test("registering sends the language of the account's mails", async () => {
  const auth = openTab();
  const email = newEmail();
  let sent;
  answerInstead("/auth/register", async (request) => {
    sent = await request.json();
    return accepted();
  });
  await auth.register(email, PASSWORD, { locale: "de" });
  assert.deepEqual(sent, { email, password: PASSWORD, locale: "de" });
});

test("takeToken takes the token out of the address and the history, and leaves the rest", () => {
  const { takeToken } = loadModule();
  const url = "https://app.example.com/verify-email?lang=de";
  const { window } = new JSDOM('<base href="https://cdn.example.com/">', { url: `${url}#token=${TOKEN}` });
  window.history.replaceState({ page: 1 }, "");
  globalThis.location = window.location;
  globalThis.history = window.history;
  assert.deepEqual([takeToken(), takeToken()], [TOKEN, null]);
  assert.equal(window.location.href, url);
  assert.equal(window.history.length, 1);
  assert.deepEqual(window.history.state, { page: 1 });
  window.location.hash = "#section";
  assert.equal(takeToken(), null);
  assert.equal(window.location.hash, "#section");
  delete globalThis.history;
  delete globalThis.location;
  assert.equal(takeToken(), null);
});
