// A bad network or a busy service does not log out; an ended session does.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  COOKIE,
  EXPIRED_REFRESH_TOKEN,
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  hurry,
  loggedIn,
  moveClock,
  openTab,
} from "./browser.mjs";
import { answerInstead, cut, html, problem } from "./network.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;
const TTL = 600;

const refreshes = () => browser.requests("/auth/refresh");

const passing = {
  "a network failure": cut,
  "a 500": problem(500, "internal_error"),
  "a 502 of a proxy": html(502),
  "a 503": problem(503, "service_unavailable", { "Retry-After": "1" }),
  "a 429": problem(429, "rate_limited"),
  "an answer that broke off": () => new Response('{"access_tok'),
  "an empty answer": () => new Response(""),
  "an answer without a token": () => Response.json({}),
};
for (const [name, answer] of Object.entries(passing)) {
  test(`${name} at the refresh does not log out: the refresh is retried`, async (t) => {
    hurry();
    const { auth, email } = await loggedIn();
    auth.onChange(() => assert.fail("there was no logout"));
    moveClock(t, TTL + 1);
    answerInstead("/auth/refresh", answer, answer);
    assert.equal((await auth.fetch(ME)).status, 200);
    assert.equal(refreshes().length, 3);
    assert.equal(auth.user.email, email);
  });
}

test("a token whose renewal fails is used until it expires", async (t) => {
  hurry();
  const { auth, email } = await loggedIn();
  moveClock(t, TTL * 0.92);
  answerInstead("/auth/refresh", problem(429, "rate_limited", { "Retry-After": "60" }));
  assert.equal((await auth.fetch(ME)).status, 200);
  assert.equal(auth.user.email, email);
});

test("the back-off grows and respects Retry-After", async () => {
  await loggedIn();
  const waits = hurry();
  const busy = problem(503, "service_unavailable", { "Retry-After": "2" });
  answerInstead("/auth/refresh", cut, busy, cut);
  await openTab().restore();
  assert.deepEqual(waits, [400, 2_000, 1_600]);
});

test("a lasting failure is reported to all waiting callers, and the session stays", async (t) => {
  hurry();
  const { auth, email } = await loggedIn();
  moveClock(t, TTL + 1);
  answerInstead("/auth/refresh", cut, cut, cut, cut);
  const calls = Array.from({ length: 5 }, () => auth.fetch(ME).catch((error) => error));
  for (const failed of await Promise.all(calls)) {
    assert.deepEqual([failed.name, failed.code, failed.status], ["AuthError", "network_error", 0]);
    assert.ok(failed.cause instanceof TypeError);
  }
  assert.equal(auth.user.email, email);
  assert.equal(refreshes().length, 4);
  assert.equal(browser.requests("/api/me").length, 0);
  assert.equal((await auth.fetch(ME)).status, 200);
});

test("the account's own calls report why their refresh failed", async (t) => {
  const { auth } = await loggedIn();
  moveClock(t, TTL + 1);
  answerInstead("/auth/refresh", problem(429, "rate_limited", { "Retry-After": "60" }));
  await assert.rejects(auth.sessions.list(), { code: "rate_limited", retryAfter: 60 });
  assert.equal((await auth.sessions.list()).length, 1);
});

test("a long Retry-After is reported at once", async () => {
  await loggedIn();
  const auth = openTab();
  answerInstead("/auth/refresh", problem(429, "rate_limited", { "Retry-After": "60" }));
  await assert.rejects(auth.restore(), { code: "rate_limited", status: 429, retryAfter: 60 });
  assert.equal(refreshes().length, 1);
  assert.notEqual(await auth.restore(), null);
});

test("an answer that no retry can change is reported at once, and the session stays", async (t) => {
  const { auth, email } = await loggedIn();
  moveClock(t, TTL + 1);
  for (const answer of [problem(403, "cross_origin_refused"), html(404), html(401)]) {
    answerInstead("/auth/refresh", answer);
    await assert.rejects(auth.fetch(ME), { name: "AuthError" });
  }
  assert.equal(refreshes().length, 3);
  assert.equal(auth.user.email, email);
});

test("a request without an answer is not repeated: its caller decides", async () => {
  const { auth } = await loggedIn();
  answerInstead("/api/me", cut);
  await assert.rejects(auth.fetch(ME), TypeError);
  answerInstead("/api/me", problem(503, "service_unavailable"));
  assert.equal((await auth.fetch(ME)).status, 503);
  assert.equal(browser.sent.length, 2);
});

for (const [code, cookie] of [
  ["refresh_token_missing", null],
  ["refresh_token_invalid", "garbage"],
  ["refresh_token_expired", EXPIRED_REFRESH_TOKEN],
]) {
  test(`${code} ends the session, and the waiting request is not sent`, async (t) => {
    const { auth } = await loggedIn();
    const users = [];
    auth.onChange((user) => users.push(user));
    moveClock(t, TTL + 1);
    if (cookie) browser.cookies.set(COOKIE, cookie);
    else browser.cookies.clear();
    await assert.rejects(auth.fetch(ME), { name: "AuthError", code, status: 401 });
    assert.equal(auth.user, null);
    assert.deepEqual(users, [null]);
    assert.equal(browser.requests("/api/me").length, 0);
  });
}

test("an empty 200 of something between counts neither as logout nor as login", async () => {
  const { auth, email } = await loggedIn();
  answerInstead("/auth/logout", () => new Response(""));
  await assert.rejects(auth.logout(), { code: "http_error", status: 200 });
  assert.equal(auth.user.email, email);
  answerInstead("/auth/login", () => new Response(""));
  await assert.rejects(auth.login(email, PASSWORD), { code: "http_error", status: 200 });
  assert.equal(auth.user.email, email);
});
