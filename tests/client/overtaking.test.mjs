// Logins, logouts and refreshes that overtake one another.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  COOKIE,
  EXPIRED_ACCESS_TOKEN,
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  loggedIn,
  moveClock,
  newEmail,
  openChannel,
  openTab,
  until,
} from "./browser.mjs";
import { holdBack, problem, tamper } from "./network.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;
const SESSIONS = `${URL_OF_SERVICE}/api/me/sessions`;
const TTL = 600;

const refreshes = () => browser.requests("/auth/refresh");

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

test("a refresh that is refused while another tab logs in is retried with the new session", async (t) => {
  const { auth, email } = await loggedIn();
  const there = openTab();
  moveClock(t, TTL + 1);
  const gate = holdBack("/auth/refresh", { answer: problem(401, "refresh_token_revoked") });
  const answer = auth.fetch(ME);
  await gate.reached;
  const heard = new Promise((resolve) => {
    openChannel().onmessage = resolve;
  });
  await there.login(email, PASSWORD);
  await heard;
  gate.letGo();
  assert.equal((await answer).status, 200);
  assert.equal(auth.user.email, email);
});

test("a page without a session does not miss the login of another tab during its refresh", async () => {
  const [here, there] = [openTab(), openTab()];
  here.onChange((user) => assert.ok(user, "it was not logged out"));
  const email = newEmail();
  await there.register(email, PASSWORD);
  const gate = holdBack("/auth/refresh", { answer: problem(401, "refresh_token_missing") });
  const restored = here.restore();
  await gate.reached;
  const heard = new Promise((resolve) => {
    openChannel().onmessage = resolve;
  });
  await there.login(email, PASSWORD);
  await heard;
  gate.letGo();
  assert.equal((await restored).email, email);
});

test("a login does not wait for a refresh, whose late answer changes nothing", async () => {
  const auth = openTab();
  const email = newEmail();
  await auth.register(email, PASSWORD);
  const gate = holdBack("/auth/refresh", { answers: true });
  const restored = auth.restore();
  await gate.reached;
  await auth.login(email, PASSWORD);
  gate.letGo();
  assert.equal((await restored).email, email);
  assert.equal(auth.status, "in");
  assert.ok(browser.cookies.has(COOKIE));
  assert.equal(refreshes().length, 1);
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

test("a logout waits for the login before it, and wins", async () => {
  const auth = openTab();
  const email = newEmail();
  await auth.register(email, PASSWORD);
  const gate = holdBack("/api/me", { answers: true });
  const login = auth.login(email, PASSWORD);
  await gate.reached;
  const logout = auth.logout();
  gate.letGo();
  assert.equal((await login).email, email);
  await logout;
  assert.equal(auth.user, null);
  assert.equal(browser.cookies.size, 0);
});

test("a login that another tab's logout overtakes ends logged out", async () => {
  const [here, there] = [openTab(), openTab()];
  const email = newEmail();
  await here.register(email, PASSWORD);
  const gate = holdBack("/api/me", { answers: true });
  const login = here.login(email, PASSWORD);
  await gate.reached;
  await there.logout();
  await until(() => here.status === "out");
  gate.letGo();
  await assert.rejects(login, { code: "refresh_token_missing" });
  assert.equal(here.user, null);
});

test("a request of one user is never sent as another user's", async (t) => {
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

test("a request is not repeated after its session was logged out", async () => {
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
