// The access token's life: renewed in time, by one refresh at a time, never lost to a bad network.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  COOKIE,
  EXPIRED_ACCESS_TOKEN,
  EXPIRED_REFRESH_TOKEN,
  PASSWORD,
  URL_OF_SERVICE,
  answerInstead,
  browser,
  cut,
  holdBack,
  html,
  hurry,
  loggedIn,
  moveClock,
  newEmail,
  openTab,
  problem,
  tamper,
  until,
} from "./browser.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;
const SESSIONS = `${URL_OF_SERVICE}/api/me/sessions`;
const TTL = 600;

const refreshes = () => browser.requests("/auth/refresh");
const last = (entries) => entries[entries.length - 1];

test("however many callers wait, there is one refresh", async () => {
  await loggedIn();
  const auth = openTab();
  const calls = Array.from({ length: 20 }, () => auth.fetch(ME));
  const answers = await Promise.all([...calls, auth.restore().then(() => ({ status: 200 }))]);
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(refreshes().length, 1);
});

test("five tabs that wake at once all refresh and stay logged in", async (t) => {
  const { email } = await loggedIn();
  const tabs = Array.from({ length: 5 }, () => openTab());
  await Promise.all(tabs.map((tab) => tab.restore()));
  moveClock(t, TTL + 1);
  browser.sent.length = 0;
  const answers = await Promise.all(tabs.map((tab) => tab.fetch(ME)));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.ok(tabs.every(({ user }) => user.email === email));
  assert.equal(refreshes().length, 5);
});

test("a token near its end is used while it is renewed", async (t) => {
  const { auth } = await loggedIn();
  await auth.fetch(ME);
  const [{ token: old }] = browser.requests("/api/me");
  moveClock(t, TTL * 0.95);
  const gate = holdBack("/auth/refresh");
  await auth.fetch(ME);
  assert.equal(last(browser.requests("/api/me")).token, old);
  gate.letGo();
  await until(() => refreshes()[0].status === 200);
  await until(async () => {
    await auth.fetch(ME);
    return last(browser.requests("/api/me")).token !== old;
  });
  assert.equal(refreshes().length, 1);
});

test("a token near its end is used though its renewal fails", async (t) => {
  hurry();
  const { auth, email } = await loggedIn();
  moveClock(t, TTL * 0.95);
  answerInstead("/auth/refresh", problem(429, "rate_limited", { "Retry-After": "60" }));
  assert.equal((await auth.fetch(ME)).status, 200);
  assert.equal(auth.user.email, email);
});

test("a token past its end is renewed before the request", async (t) => {
  const { auth } = await loggedIn();
  moveClock(t, TTL + 1);
  assert.equal((await auth.fetch(ME)).status, 200);
  assert.deepEqual(
    browser.sent.map(({ path }) => path),
    ["/auth/refresh", "/api/me"],
  );
});

test("pages renew at moments of their own", async (t) => {
  await loggedIn();
  for (const [random, renewals] of [[0, 1], [0.99, 0]]) {
    Math.random = () => random;
    const auth = openTab();
    await auth.restore();
    browser.sent.length = 0;
    const clock = moveClock(t, TTL * 0.8);
    await auth.fetch(ME);
    clock.restore();
    assert.equal(refreshes().length, renewals);
    await until(() => refreshes().every(({ status }) => status));
  }
});

for (const days of [-1, 1]) {
  test(`a wall clock that is ${days} day off changes nothing`, async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + days * 86_400_000 });
    const { auth } = await loggedIn();
    t.mock.timers.setTime(Date.now() + 2 * 86_400_000);
    assert.equal((await auth.fetch(ME)).status, 200);
    assert.equal(refreshes().length, 0);
  });
}

for (const [code, token] of [
  ["access_token_expired", EXPIRED_ACCESS_TOKEN],
  ["access_token_invalid", "not.a.token"],
]) {
  test(`on ${code} there is one refresh and one retry`, async () => {
    const { auth } = await loggedIn();
    tamper("/api/me", token);
    assert.equal((await auth.fetch(ME)).status, 200);
    assert.deepEqual(
      browser.sent.map(({ path, status }) => [path, status]),
      [["/api/me", 401], ["/auth/refresh", 200], ["/api/me", 200]],
    );
    await auth.fetch(ME);
    assert.equal(refreshes().length, 1);
  });
}

test("a second 401 is the answer: there is no loop", async () => {
  const { auth, email } = await loggedIn();
  tamper("/api/me", EXPIRED_ACCESS_TOKEN, EXPIRED_ACCESS_TOKEN, EXPIRED_ACCESS_TOKEN);
  const answer = await auth.fetch(ME);
  assert.equal(answer.status, 401);
  assert.equal((await answer.json()).code, "access_token_expired");
  assert.equal(browser.sent.length, 3);
  assert.equal(auth.user.email, email);
});

test("a token that is over on arrival is used once and asked for once", async () => {
  const { auth } = await loggedIn();
  const before = browser.network;
  browser.network = async (request, go) => {
    const answer = await before(request, go);
    if (!request.url.endsWith("/auth/refresh")) return answer;
    return Response.json({ ...(await answer.json()), expires_in: 0 });
  };
  tamper("/api/me", EXPIRED_ACCESS_TOKEN);
  assert.equal((await auth.fetch(ME)).status, 200);
  assert.equal(refreshes().length, 1);
});

test("requests that met the same stale token share one refresh", async () => {
  const { auth } = await loggedIn();
  tamper("/api/me", ...Array(3).fill(EXPIRED_ACCESS_TOKEN));
  const gate = holdBack("/api/me", { answers: true });
  const late = auth.fetch(ME);
  await gate.reached;
  const prompt = await Promise.all([auth.fetch(ME), auth.fetch(ME)]);
  assert.ok(prompt.every(({ status }) => status === 200));
  gate.letGo();
  assert.equal((await late).status, 200);
  assert.equal(refreshes().length, 1);
});

test("another 401 than a stale token's is the answer", async () => {
  const { auth } = await loggedIn();
  const empty = () => Response.json(null, { status: 401 });
  for (const other of [problem(401, "mfa_required"), html(401), empty]) {
    answerInstead("/api/me", other);
    assert.equal((await auth.fetch(ME)).status, 401);
  }
  assert.equal(refreshes().length, 0);
});

const passing = {
  "a network failure": cut,
  "a 500": problem(500, "internal_error"),
  "a 502 of a proxy": html(502),
  "a 503": problem(503, "service_unavailable", { "Retry-After": "1" }),
  "a 429": problem(429, "rate_limited"),
  "an answer that broke off": () => new Response('{"access_tok'),
};
for (const [name, answer] of Object.entries(passing)) {
  test(`${name} at the refresh is no logout: it is tried again`, async (t) => {
    hurry();
    const { auth, email } = await loggedIn();
    auth.onChange(() => assert.fail("nobody logged out"));
    moveClock(t, TTL + 1);
    answerInstead("/auth/refresh", answer, answer);
    assert.equal((await auth.fetch(ME)).status, 200);
    assert.equal(refreshes().length, 3);
    assert.equal(auth.user.email, email);
  });
}

test("back-off grows, and heeds Retry-After", async () => {
  await loggedIn();
  const waits = hurry();
  const busy = problem(503, "service_unavailable", { "Retry-After": "2" });
  answerInstead("/auth/refresh", cut, busy, cut);
  await openTab().restore();
  assert.deepEqual(waits, [400, 2_000, 1_600]);
});

test("a failure that lasts is reported to all who wait, and the session stays", async (t) => {
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

test("an answer that no retry can mend is reported at once, and ends nothing", async (t) => {
  const { auth, email } = await loggedIn();
  moveClock(t, TTL + 1);
  for (const answer of [problem(403, "cross_origin_refused"), html(404), html(401)]) {
    answerInstead("/auth/refresh", answer);
    await assert.rejects(auth.fetch(ME), { name: "AuthError" });
  }
  assert.equal(refreshes().length, 3);
  assert.equal(auth.user.email, email);
});

test("a request that found no answer is not repeated: its caller decides", async () => {
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
    const heard = [];
    auth.onChange((user) => heard.push(user));
    moveClock(t, TTL + 1);
    if (cookie) browser.cookies.set(COOKIE, cookie);
    else browser.cookies.clear();
    await assert.rejects(auth.fetch(ME), { name: "AuthError", code, status: 401 });
    assert.equal(auth.user, null);
    assert.deepEqual(heard, [null]);
    assert.equal(browser.requests("/api/me").length, 0);
  });
}

test("where nobody is logged in, a request goes without a token", async () => {
  const auth = openTab();
  assert.equal((await auth.fetch(`${URL_OF_SERVICE}/healthz`)).status, 200);
  assert.equal((await auth.fetch(`${URL_OF_SERVICE}/healthz`)).status, 200);
  assert.ok(browser.sent.every(({ token }) => token === ""));
  assert.equal(refreshes().length, 1);
});

test("a logout that overtakes a refresh wins", async (t) => {
  const { auth } = await loggedIn();
  moveClock(t, TTL + 1);
  const gate = holdBack("/auth/refresh", { answers: true });
  const waiting = assert.rejects(auth.fetch(ME), { name: "AuthError" });
  await gate.reached;
  await auth.logout();
  gate.letGo();
  await waiting;
  assert.equal(auth.user, null);
  assert.equal(browser.requests("/api/me").length, 0);
});

test("a refresh refused as another tab logged in is tried with the new session", async (t) => {
  const { auth, email } = await loggedIn();
  const there = openTab();
  moveClock(t, TTL + 1);
  const gate = holdBack("/auth/refresh", { answer: problem(401, "refresh_token_revoked") });
  const answer = auth.fetch(ME);
  await gate.reached;
  const heard = new Promise((resolve) => {
    new BroadcastChannel(`authsvc ${URL_OF_SERVICE}/`).onmessage = resolve;
  });
  await there.login(email, PASSWORD);
  await heard;
  gate.letGo();
  assert.equal((await answer).status, 200);
  assert.equal(auth.user.email, email);
});

test("a login waits for the refresh before it, whose refusal would clear its cookie", async () => {
  const auth = openTab();
  const email = newEmail();
  await auth.register(email, PASSWORD);
  const gate = holdBack("/auth/refresh");
  const restored = auth.restore();
  await gate.reached;
  const login = auth.login(email, PASSWORD);
  await new Promise(setImmediate);
  assert.equal(browser.requests("/auth/login").length, 0);
  gate.letGo();
  await login;
  await restored;
  assert.ok(browser.cookies.has(COOKIE));
  assert.equal(auth.user.email, email);
});

test("a request waits for a login under way and needs no refresh after it", async (t) => {
  const { auth, email } = await loggedIn();
  moveClock(t, TTL + 1);
  const gate = holdBack("/auth/login");
  const login = auth.login(email, PASSWORD);
  await gate.reached;
  const answer = auth.fetch(SESSIONS);
  gate.letGo();
  await login;
  assert.equal((await answer).status, 200);
  assert.equal(refreshes().length, 0);
});

test("a login that a logout overtakes leaves nobody logged in", async () => {
  const auth = openTab();
  const email = newEmail();
  await auth.register(email, PASSWORD);
  const gate = holdBack("/api/me", { answers: true });
  const login = auth.login(email, PASSWORD);
  await gate.reached;
  await auth.logout();
  gate.letGo();
  await assert.rejects(login, { code: "refresh_token_missing" });
  assert.equal(auth.user, null);
});

test("a request of one person is never sent as another one's", async (t) => {
  const { auth } = await loggedIn();
  const heard = [];
  auth.onChange((user) => heard.push(user.email));
  const bob = newEmail();
  await auth.register(bob, PASSWORD);
  // An app of another origin shares the cookie, and no channel.
  await fetch(`${URL_OF_SERVICE}/auth/login`, {
    method: "POST",
    credentials: "include",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: bob, password: PASSWORD }),
  });
  moveClock(t, TTL + 1);
  await assert.rejects(auth.fetch(ME), { code: "session_changed", status: 0 });
  assert.deepEqual(heard, [bob]);
  assert.equal(browser.requests("/api/me").length, 1);
  assert.equal((await (await auth.fetch(ME)).json()).email, bob);
});

test("a request that meets a logout is not repeated without its session", async () => {
  const { auth } = await loggedIn();
  tamper("/api/me", EXPIRED_ACCESS_TOKEN);
  const gate = holdBack("/api/me", { answers: true });
  const answer = assert.rejects(auth.fetch(ME), { code: "session_changed" });
  await gate.reached;
  await auth.logout();
  gate.letGo();
  await answer;
  assert.equal(refreshes().length, 0);
});
