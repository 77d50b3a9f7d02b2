// A session that is bound to a device whose key this browser has lost.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  hurry,
  loggedIn,
  moveClock,
  openTab,
} from "./browser.mjs";
import { answerInstead, problem } from "./network.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;
const missing = problem(401, "device_proof_missing");
const refreshes = () => browser.requests("/auth/refresh");

test("a page without the device's key is logged out, without a loop", async (t) => {
  hurry();
  const { auth, email } = await loggedIn();
  const users = [];
  auth.onChange((user) => users.push(user));
  moveClock(t, 601);
  answerInstead("/auth/refresh", missing, missing, missing, missing);
  await assert.rejects(auth.fetch(ME), { code: "device_proof_missing", status: 401 });
  assert.equal(refreshes().length, 2); // once more, since another tab may have logged in
  assert.equal(auth.user, null);
  assert.deepEqual(users, [null]);
  assert.equal((await auth.login(email, PASSWORD)).email, email);
  assert.equal((await auth.fetch(ME)).status, 200);
});

test("a page that opens without the device's key has no user", async () => {
  hurry();
  await loggedIn();
  const auth = openTab();
  answerInstead("/auth/refresh", missing, missing);
  assert.equal(await auth.restore(), null);
  assert.equal(auth.status, "out");
});
