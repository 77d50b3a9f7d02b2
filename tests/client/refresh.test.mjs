// Renewal of the access token: before it expires, and by one refresh at a time.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  EXPIRED_ACCESS_TOKEN,
  URL_OF_SERVICE,
  browser,
  loggedIn,
  moveClock,
  openTab,
  until,
} from "./browser.mjs";
import { answerInstead, holdBack, html, problem, tamper } from "./network.mjs";

const PATH = "/api/me/sessions";
const THINGS = `${URL_OF_SERVICE}${PATH}`;
const TTL = 600;

const refreshes = () => browser.requests("/auth/refresh");
const last = (entries) => entries[entries.length - 1];

test("many waiting callers share one refresh", async () => {
  await loggedIn();
  const auth = openTab();
  const calls = Array.from({ length: 20 }, () => auth.fetch(THINGS));
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
  const answers = await Promise.all(tabs.map((tab) => tab.fetch(THINGS)));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.ok(tabs.every(({ user }) => user.email === email));
  assert.equal(refreshes().length, 5);
});

test("a token in the last quarter of its life is used while it is renewed", async (t) => {
  const { auth } = await loggedIn();
  await auth.fetch(THINGS);
  const [{ token: old }] = browser.requests(PATH);
  moveClock(t, TTL * 0.92);
  const gate = holdBack("/auth/refresh");
  await auth.fetch(THINGS);
  assert.equal(last(browser.requests(PATH)).token, old);
  gate.letGo();
  await until(() => refreshes()[0].status === 200);
  await until(async () => {
    await auth.fetch(THINGS);
    return last(browser.requests(PATH)).token !== old;
  });
  assert.equal(refreshes().length, 1);
});

for (const lived of [0.951, 1, 1_000]) {
  test(`a token that has lived ${lived} lives is renewed before the request`, async (t) => {
    const { auth } = await loggedIn();
    await auth.fetch(THINGS);
    const [{ token: old }] = browser.sent.splice(0);
    moveClock(t, TTL * lived);
    assert.equal((await auth.fetch(THINGS)).status, 200);
    assert.deepEqual(
      browser.sent.map(({ path, token }) => [path, token === old]),
      [["/auth/refresh", false], ["/api/me", false], [PATH, false]],
    );
  });
}

test("a token's life counts from its request, even if the response is late", async (t) => {
  await loggedIn();
  const auth = openTab();
  const refresh = holdBack("/auth/refresh", { answers: true });
  const restored = auth.restore();
  await refresh.reached;
  moveClock(t, TTL / 2);
  const me = holdBack("/api/me", { answers: true });
  refresh.letGo();
  await me.reached;
  moveClock(t, TTL / 2);
  me.letGo();
  await restored;
  browser.sent.length = 0;
  await auth.fetch(THINGS);
  assert.deepEqual(browser.sent.map(({ path }) => path), ["/auth/refresh", "/api/me", PATH]);
});

test("pages renew at different times", async (t) => {
  await loggedIn();
  for (const [random, renewals] of [[0, 1], [0.99, 0]]) {
    Math.random = () => random;
    const auth = openTab();
    await auth.restore();
    browser.sent.length = 0;
    const clock = moveClock(t, TTL * 0.8);
    await auth.fetch(THINGS);
    clock.restore();
    assert.equal(refreshes().length, renewals);
    await until(() => refreshes().every(({ status }) => status));
  }
});

for (const days of [-1, 1]) {
  test(`a wall clock that jumps by ${days} day neither ends a token nor prolongs it`, async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() - days * 86_400_000 });
    const { auth } = await loggedIn();
    t.mock.timers.setTime(Date.now() + 2 * days * 86_400_000);
    assert.equal((await auth.fetch(THINGS)).status, 200);
    assert.equal(refreshes().length, 0);
    moveClock(t, TTL + 1);
    assert.equal((await auth.fetch(THINGS)).status, 200);
    assert.equal(refreshes().length, 1);
  });
}

for (const [code, token] of [
  ["access_token_expired", EXPIRED_ACCESS_TOKEN],
  ["access_token_invalid", "not.a.token"],
]) {
  test(`on ${code} there is one refresh and one retry`, async () => {
    const { auth } = await loggedIn();
    tamper(PATH, token);
    assert.equal((await auth.fetch(THINGS)).status, 200);
    assert.deepEqual(
      browser.sent.map(({ path, status }) => [path, status]),
      [[PATH, 401], ["/auth/refresh", 200], ["/api/me", 200], [PATH, 200]],
    );
    await auth.fetch(THINGS);
    assert.equal(refreshes().length, 1);
  });
}

test("a second 401 is returned: there is no loop", async () => {
  const { auth, email } = await loggedIn();
  tamper(PATH, EXPIRED_ACCESS_TOKEN, EXPIRED_ACCESS_TOKEN, EXPIRED_ACCESS_TOKEN);
  const answer = await auth.fetch(THINGS);
  assert.equal(answer.status, 401);
  assert.equal((await answer.json()).code, "access_token_expired");
  assert.equal(browser.requests(PATH).length, 2);
  assert.equal(refreshes().length, 1);
  assert.equal(auth.user.email, email);
});

test("a token that has expired on arrival is used once and refreshed once", async () => {
  const { auth } = await loggedIn();
  const before = browser.network;
  browser.network = async (request, go) => {
    const answer = await before(request, go);
    if (!request.url.endsWith("/auth/refresh")) return answer;
    return Response.json({ ...(await answer.json()), expires_in: 0 });
  };
  tamper(PATH, EXPIRED_ACCESS_TOKEN);
  assert.equal((await auth.fetch(THINGS)).status, 200);
  assert.equal(refreshes().length, 1);
});

test("requests that met the same stale token share one refresh", async () => {
  const { auth } = await loggedIn();
  tamper(PATH, ...Array(3).fill(EXPIRED_ACCESS_TOKEN));
  const gate = holdBack(PATH, { answers: true });
  const late = auth.fetch(THINGS);
  await gate.reached;
  const prompt = await Promise.all([auth.fetch(THINGS), auth.fetch(THINGS)]);
  assert.ok(prompt.every(({ status }) => status === 200));
  gate.letGo();
  assert.equal((await late).status, 200);
  assert.equal(refreshes().length, 1);
});

test("a 401 that is not a stale token's is returned", async () => {
  const { auth } = await loggedIn();
  const empty = () => Response.json(null, { status: 401 });
  for (const other of [problem(401, "mfa_required"), html(401), empty]) {
    answerInstead(PATH, other);
    assert.equal((await auth.fetch(THINGS)).status, 401);
  }
  assert.equal(refreshes().length, 0);
});

test("a request without a session has no token", async () => {
  const auth = openTab();
  assert.equal((await auth.fetch(`${URL_OF_SERVICE}/healthz`)).status, 200);
  assert.equal((await auth.fetch(`${URL_OF_SERVICE}/healthz`)).status, 200);
  assert.ok(browser.sent.every(({ token }) => token === ""));
  assert.equal(refreshes().length, 1);
});
