// A page that comes back: from the history, from a sleep, from being offline.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  happen,
  hurry,
  loggedIn,
  newEmail,
  onAnotherDevice,
  openTab,
  until,
} from "./browser.mjs";
import { answerInstead, cut, holdBack, problem } from "./network.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;
const TTL = 600;

const refreshes = () => browser.requests("/auth/refresh");

/** Let the computer sleep: the date goes on, the monotonic clock stands still. */
function sleep(t, seconds) {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + seconds * 1_000 });
}

test("a page from the history whose session has ended elsewhere is logged out", async () => {
  const { auth, email } = await loggedIn();
  const heard = [];
  auth.onChange((user) => heard.push(user));
  const device = await onAnotherDevice(email);
  await device.call("DELETE", "/api/me/sessions");
  happen("pageshow", { persisted: true });
  await until(() => auth.status === "out");
  await until(() => heard.length);
  assert.deepEqual(heard, [null]);
});

test("a page from the history follows a login as another user, and sends nothing as that one", async () => {
  const { auth } = await loggedIn();
  const bob = newEmail();
  await auth.register(bob, PASSWORD);
  const { cookies } = await onAnotherDevice(bob);
  browser.cookies = cookies; // the login of another tab, while this page stood still
  happen("pageshow", { persisted: true });
  await assert.rejects(auth.fetch(ME), { code: "session_changed" });
  assert.equal(auth.user.email, bob);
});

test("a page from the history does not take the answer to a refresh from before", async () => {
  const { auth, email } = await loggedIn();
  const gate = holdBack("/auth/refresh", { answer: problem(401, "refresh_token_revoked") });
  const restored = auth.restore();
  await gate.reached;
  happen("pageshow", { persisted: true });
  gate.letGo();
  assert.equal((await restored).email, email);
  assert.equal(refreshes().length, 2);
});

test("a page that is loaded, or that never asked, sends nothing at pageshow", async () => {
  await loggedIn();
  const auth = openTab();
  happen("pageshow", { persisted: false });
  assert.equal(await auth.ready.constructor, Promise);
  openTab();
  happen("online");
  await new Promise(setImmediate);
  assert.equal(refreshes().length, 0);
});

for (const type of ["visibilitychange", "focus", "online", "pageshow"]) {
  test(`at ${type} after a sleep, the next request renews first`, async (t) => {
    const { auth } = await loggedIn();
    sleep(t, TTL + 1);
    happen(type);
    await new Promise(setImmediate);
    assert.equal(refreshes().length, 0);
    assert.equal((await auth.fetch(ME)).status, 200);
    assert.equal(browser.sent[0].path, "/auth/refresh");
  });
}

test("a page that becomes visible soon does not renew", async (t) => {
  const { auth } = await loggedIn();
  sleep(t, TTL / 2);
  happen("visibilitychange");
  await auth.fetch(ME);
  assert.equal(refreshes().length, 0);
});

test("offline at load the status is unknown, and known when the browser is online", async () => {
  hurry();
  const { email } = await loggedIn();
  const auth = openTab();
  const heard = [];
  auth.onChange((user) => heard.push(user));
  answerInstead("/auth/refresh", cut, cut, cut, cut);
  await assert.rejects(auth.restore(), { code: "network_error" });
  assert.deepEqual([auth.status, auth.user], ["unknown", null]);
  assert.deepEqual(heard, []);
  happen("online");
  assert.equal((await auth.ready).email, email);
  assert.equal(auth.status, "in");
  assert.deepEqual(heard, [auth.user]);
  happen("online");
  await new Promise(setImmediate);
  assert.equal(refreshes().length, 5);
});
