// Logins and logouts take turns, in a tab and across tabs.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  COOKIE,
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  loggedIn,
  moveClock,
  newEmail,
  openTab,
  stopTimers,
  until,
} from "./browser.mjs";
import { answerInstead, holdBack, problem, silence } from "./network.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;
const TTL = 600;

/** Web Locks, as far as they are used here. */
function giveLocks(t) {
  const last = new Map();
  const locks = {
    request(name, work) {
      const done = Promise.resolve(last.get(name)).then(() => work());
      last.set(name, done);
      return done;
    },
  };
  setNavigator(t, { locks });
  return locks;
}

function setNavigator(t, navigator) {
  const kept = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  t.after(() => {
    delete globalThis.navigator;
    if (kept) Object.defineProperty(globalThis, "navigator", kept);
  });
}

async function registered() {
  const email = newEmail();
  await openTab().register(email, PASSWORD);
  return email;
}

const endings = {
  logout: ["/auth/logout", (auth) => auth.logout()],
  logoutEverywhere: ["/api/me/sessions", (auth) => auth.logoutEverywhere()],
  deleteAccount: ["/api/me", (auth) => auth.deleteAccount(PASSWORD)],
};
for (const [name, [path, end]] of Object.entries(endings)) {
  test(`a login after ${name} keeps its cookie, however late the answer is`, async () => {
    const bob = await registered();
    const { auth } = await loggedIn();
    const gate = holdBack(path, { answers: true });
    const ended = end(auth);
    await gate.reached;
    const login = auth.login(bob, PASSWORD);
    await new Promise(setImmediate);
    gate.letGo();
    await ended;
    assert.equal((await login).email, bob);
    assert.ok(browser.cookies.has(COOKIE));
    assert.equal((await auth.restore()).email, bob);
  });

  test(`${name} in one tab and a login in another take turns by a lock`, async (t) => {
    giveLocks(t);
    const bob = await registered();
    const { auth } = await loggedIn();
    const other = openTab();
    const gate = holdBack(path, { answers: true });
    const ended = end(auth);
    await gate.reached;
    const login = other.login(bob, PASSWORD);
    await new Promise(setImmediate);
    assert.equal(browser.requests("/auth/login").length, 0);
    gate.letGo();
    await ended;
    assert.equal((await login).email, bob);
    assert.ok(browser.cookies.has(COOKIE));
  });
}

test("a request of one user does not end the sessions of another who logs in first", async () => {
  const bob = await registered();
  const { auth } = await loggedIn();
  const login = auth.login(bob, PASSWORD);
  await assert.rejects(auth.logoutEverywhere(), { code: "session_changed" });
  assert.equal((await login).email, bob);
  assert.equal((await auth.restore()).email, bob);
});

test("a lock that another tab never gives back is waited for no longer than the timeout", async (t) => {
  const locks = giveLocks(t);
  const { auth, email } = await loggedIn();
  let release;
  locks.request(`authsvc ${URL_OF_SERVICE}/`, () => new Promise((done) => (release = done)));
  const pass = stopTimers(t);
  const login = auth.login(email, PASSWORD);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  assert.equal(browser.requests("/auth/login").length, 0);
  pass(10);
  assert.equal((await login).email, email);
  release();
  await new Promise(setImmediate);
  assert.equal(browser.requests("/auth/login").length, 1);
});

test("a browser that refuses locks logs in without", async (t) => {
  setNavigator(t, { locks: { request: async () => Promise.reject(new Error("SecurityError")) } });
  const { auth, email } = await loggedIn();
  assert.equal(auth.user.email, email);
});

test("a refresh takes no lock", async (t) => {
  const locks = giveLocks(t);
  const { auth, email } = await loggedIn();
  locks.request(`authsvc ${URL_OF_SERVICE}/`, silence);
  moveClock(t, TTL + 1);
  assert.equal((await auth.restore()).email, email);
  assert.equal((await auth.fetch(ME)).status, 200);
});

test("a call that is aborted while it waits for its turn is not sent", async () => {
  const { auth, email } = await loggedIn();
  const gate = holdBack("/auth/logout");
  const logout = auth.logout();
  const abort = new AbortController();
  const login = assert.rejects(auth.login(email, PASSWORD, { signal: abort.signal }), {
    name: "AbortError",
  });
  await gate.reached;
  abort.abort();
  await login;
  gate.letGo();
  await logout;
  assert.equal(auth.status, "out");
  assert.equal(browser.requests("/auth/login").length, 0);
});

test("a password is changed although the token has expired", async (t) => {
  const { auth, email } = await loggedIn();
  moveClock(t, TTL + 1);
  await Promise.all([auth.changePassword(PASSWORD, "another horse, correct"), auth.fetch(ME)]);
  assert.equal(auth.user.email, email);
});

test("a refresh that a password change in this tab overtakes does not log out", async () => {
  const { auth, email } = await loggedIn();
  auth.onChange(() => assert.fail("there was no logout"));
  const refused = problem(401, "refresh_token_revoked");
  answerInstead("/auth/refresh", refused, refused); // until the new cookie has arrived
  const change = holdBack("/api/me/password", { answers: true });
  const refresh = holdBack("/auth/refresh");
  const restored = auth.restore();
  await refresh.reached;
  const changed = auth.changePassword(PASSWORD, "another horse, correct");
  await change.reached;
  refresh.letGo();
  await until(() => browser.requests("/auth/refresh")[0].status === 401);
  await new Promise(setImmediate);
  change.letGo();
  await changed;
  assert.equal((await restored).email, email);
  assert.equal(browser.requests("/auth/refresh").length, 1);
});

for (const code of ["refresh_token_revoked", "refresh_token_missing"]) {
  test(`on ${code} the page asks once more: another tab may have logged in, unheard`, async (t) => {
    const { auth, email } = await loggedIn();
    auth.onChange(() => assert.fail("there was no logout"));
    moveClock(t, TTL + 1);
    answerInstead("/auth/refresh", problem(401, code));
    assert.equal((await auth.fetch(ME)).status, 200);
    assert.equal(auth.user.email, email);
    assert.equal(browser.requests("/auth/refresh").length, 2);
  });
}
