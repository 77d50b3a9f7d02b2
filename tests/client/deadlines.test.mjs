// No request of the module waits forever, and a caller can stop waiting earlier.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";

import {
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  hurry,
  loggedIn,
  moveClock,
  newEmail,
  openTab,
  stopTimers,
  until,
} from "./browser.mjs";
import { answerInstead, cut, holdBack, problem, silence } from "./network.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;
const TTL = 600;
const busy = (seconds) => problem(503, "service_unavailable", { "Retry-After": seconds });

const calls = {
  restore: ["/auth/refresh", (auth, given) => auth.restore(given)],
  refresh: ["/auth/refresh", (auth, given) => auth.refresh(given)],
  token: ["/auth/refresh", (auth, given) => auth.token(given)],
  register: ["/auth/register", (auth, given) => auth.register(newEmail(), PASSWORD, given)],
  login: ["/auth/login", (auth, given) => auth.login(newEmail(), PASSWORD, given)],
  logout: ["/auth/logout", (auth, given) => auth.logout(given)],
  logoutEverywhere: ["/api/me/sessions", (auth, given) => auth.logoutEverywhere(given)],
  changePassword: ["/api/me/password", (auth, given) => auth.changePassword("a", "b", given)],
  deleteAccount: ["/api/me", (auth, given) => auth.deleteAccount(PASSWORD, given)],
  forgotPassword: ["/auth/password/forgot", (auth, given) => auth.forgotPassword("a", given)],
  resetPassword: ["/auth/password/reset", (auth, given) => auth.resetPassword("a", "b", given)],
  resendVerification: ["/auth/email/resend", (auth, given) => auth.resendVerification("a", given)],
  verifyEmail: ["/auth/email/verify", (auth, given) => auth.verifyEmail("a", "b", given)],
  changeEmail: ["/api/me/email", (auth, given) => auth.changeEmail("a", given)],
  confirmEmailChange: ["/auth/email/change", (auth, given) => auth.confirmEmailChange("a", given)],
  "sessions.list": ["/api/me/sessions", (auth, given) => auth.sessions.list(given)],
  "sessions.revoke": ["/api/me/sessions/1", (auth, given) => auth.sessions.revoke("1", given)],
};
const TURNS = ["login", "logout", "logoutEverywhere", "changePassword", "deleteAccount"];

for (const [name, [path, start]] of Object.entries(calls)) {
  test(`${name} ends after ten seconds of silence, and the next call goes through`, async (t) => {
    const { auth, email } = await loggedIn();
    if (name === "token") moveClock(t, TTL + 1);
    const pass = stopTimers(t);
    answerInstead(path, silence);
    const ended = assert.rejects(start(auth), { code: "network_error", status: 0 });
    await until(() => browser.requests(path).length);
    pass(9.9);
    await new Promise(setImmediate);
    pass(0.1);
    await ended;
    assert.equal((await auth.restore()).email, email);
    if (TURNS.includes(name)) assert.equal((await auth.login(email, PASSWORD)).email, email);
  });

  test(`${name} rejects with the reason of its signal, and leaves no listener there`, async (t) => {
    const { auth } = await loggedIn();
    if (name === "token") moveClock(t, TTL + 1);
    const abort = new AbortController();
    const reason = new Error("the page has moved on");
    answerInstead(path, silence);
    const ended = assert.rejects(start(auth, { signal: abort.signal }), reason);
    await until(() => browser.requests(path).length);
    abort.abort(reason);
    await ended;
    await until(() => getEventListeners(abort.signal, "abort").length === 0);
    await assert.rejects(start(auth, { signal: AbortSignal.abort(reason) }), reason);
    assert.equal(browser.requests(path).length, 1);
  });
}

test("a long-lived signal keeps no listener of a call that is over", async () => {
  const { auth } = await loggedIn();
  const { signal } = new AbortController();
  for (let round = 0; round < 3; round += 1) {
    await auth.restore({ signal });
    await auth.sessions.list({ signal });
    await auth.token({ signal });
  }
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("an abort of one caller does not end the refresh of the others", async (t) => {
  const { auth, email } = await loggedIn();
  moveClock(t, TTL + 1);
  const abort = new AbortController();
  const gate = holdBack("/auth/refresh");
  const impatient = assert.rejects(auth.token({ signal: abort.signal }), { name: "AbortError" });
  const patient = auth.restore();
  await gate.reached;
  abort.abort();
  await impatient;
  gate.letGo();
  assert.equal((await patient).email, email);
  assert.equal(browser.requests("/auth/refresh").length, 1);
});

test("a page that is logged out gets the reason of its abort, too", async () => {
  const auth = openTab();
  const { signal } = new AbortController();
  assert.equal(await auth.token({ signal }), null);
  const abort = new AbortController();
  const gate = holdBack("/auth/refresh");
  const ended = assert.rejects(auth.restore({ signal: abort.signal }), { name: "AbortError" });
  await gate.reached;
  abort.abort();
  await ended;
  gate.letGo();
});

test("a body that stops coming is a network error too", async (t) => {
  const auth = openTab();
  const pass = stopTimers(t);
  answerInstead("/auth/register", () => new Response(new ReadableStream({})));
  const ended = assert.rejects(auth.register(newEmail(), PASSWORD), { code: "network_error" });
  await until(() => browser.requests("/auth/register")[0]?.status === 200);
  pass(10);
  await ended;
});

test("the timeout can be chosen", async (t) => {
  const auth = openTab({ timeout: 2_000 });
  const pass = stopTimers(t);
  answerInstead("/auth/refresh", silence);
  const ended = assert.rejects(auth.restore(), { code: "network_error" });
  await until(() => browser.requests("/auth/refresh").length);
  pass(2);
  await ended;
});

test("after a login without an answer, the page asks who is there", async (t) => {
  const { auth } = await loggedIn();
  const bob = newEmail();
  await auth.register(bob, PASSWORD);
  const before = browser.network;
  browser.network = async (request, go) => {
    browser.network = before;
    await go(request);
    return cut();
  };
  await assert.rejects(auth.login(bob, PASSWORD), { code: "network_error" });
  browser.sent.length = 0;
  await assert.rejects(auth.fetch(ME), { code: "session_changed" });
  assert.equal(browser.sent[0].path, "/auth/refresh");
  assert.equal(auth.user.email, bob);
});

test("a login that meets a burst is repeated when the service says so", async () => {
  const waits = hurry();
  const auth = openTab();
  const email = newEmail();
  answerInstead("/auth/register", busy("1"));
  answerInstead("/auth/login", busy("2"), busy("3"));
  await auth.register(email, PASSWORD);
  assert.equal((await auth.login(email, PASSWORD)).email, email);
  assert.deepEqual(waits, [1_000, 2_000, 3_000]);
});

test("a login is repeated within the timeout only, and never without being told to", async () => {
  hurry();
  const auth = openTab();
  const email = newEmail();
  await auth.register(email, PASSWORD);
  for (const [answer, code] of [
    [busy("11"), "service_unavailable"],
    [problem(503, "service_unavailable"), "service_unavailable"],
    [problem(429, "rate_limited", { "Retry-After": "1" }), "rate_limited"],
    [cut, "network_error"],
  ]) {
    browser.sent.length = 0;
    answerInstead("/auth/login", answer);
    await assert.rejects(auth.login(email, PASSWORD), { code });
    assert.equal(browser.requests("/auth/login").length, 1);
  }
});

for (const [seconds, expected] of [
  [90, 90],
  [-90, 0],
]) {
  test(`Retry-After may be a date, ${seconds} seconds from now`, async () => {
    const auth = openTab();
    const date = new Date(Date.now() + seconds * 1_000).toUTCString();
    answerInstead("/auth/login", problem(429, "rate_limited", { "Retry-After": date }));
    const error = await auth.login(newEmail(), PASSWORD).catch((thrown) => thrown);
    assert.equal(error.code, "rate_limited");
    assert.ok(Math.abs(error.retryAfter - expected) <= 20, error.retryAfter);
    assert.ok(error.retryAfter >= 0);
  });
}
