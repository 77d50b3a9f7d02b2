// Sessions that are bound to a key of the browser: `bind: true`.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as module from "../../authsvc/static/authsvc-binding.js";
import {
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  loggedIn,
  moveClock,
  newEmail,
  openTab,
} from "./browser.mjs";
import { Databases } from "./indexed_db.mjs";
import {
  NAME,
  bind,
  databases,
  proofs,
  read,
  refusal,
  registered,
  savedKey,
  setGlobal,
} from "./keys.mjs";
import { answerInstead, holdBack, problem } from "./network.mjs";

const HOUR = 3_600;
const TTL = 600;

/** Set the date of the page, and of nothing else. */
function setDate(t, seconds) {
  const now = Date.now;
  t.mock.method(Date, "now", () => now() + seconds * 1_000);
}

test("a session is bound to the key of this browser from its login on", async () => {
  const auth = openTab({ bind });
  const email = await registered();
  assert.equal(auth.bound, null);
  await auth.login(email, PASSWORD);
  assert.equal(auth.bound, true);
  assert.equal((await auth.sessions.list())[0].bound, "key");
  const [{ claims }] = proofs("/auth/login").map(read);
  const { jti, iat, ...rest } = claims;
  assert.match(jti, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  assert.ok(Math.abs(Date.now() / 1_000 - iat) < 10);
  assert.deepEqual(rest, { htm: "POST", htu: `${URL_OF_SERVICE}/auth/login` });
});

test("each request that needs a proof has its own by the same key, and no other has", async (t) => {
  const { auth, email } = await loggedIn({ bind });
  browser.sent.length = 0;
  moveClock(t, TTL + 1);
  await auth.fetch(`${URL_OF_SERVICE}/api/me?a=query`);
  await auth.changePassword(PASSWORD, "another horse, correct");
  await auth.verifyEmail("a token", PASSWORD).catch(() => {});
  await auth.logout();
  await auth.login(email, "another horse, correct");
  const bearing = browser.sent.filter((entry) => entry.proof);
  const read_ = bearing.map((entry) => [entry, read(entry.proof)]);
  assert.deepEqual(
    read_.map(([{ method, path }]) => `${method} ${path}`),
    ["POST /auth/refresh", "PUT /api/me/password", "POST /auth/email/verify", "POST /auth/login"],
  );
  for (const [{ method, path }, { claims }] of read_) {
    assert.deepEqual([claims.htm, claims.htu], [method, URL_OF_SERVICE + path]);
  }
  assert.equal(new Set(read_.map(([, { claims }]) => claims.jti)).size, 4);
  assert.equal(new Set(read_.slice(0, 3).map(([, { x }]) => x)).size, 1);
});

test("the key is saved before the login is sent, and cannot be extracted", async () => {
  const auth = openTab({ bind });
  const email = await registered();
  const gate = holdBack("/auth/login");
  const login = auth.login(email, PASSWORD);
  await gate.reached;
  const { privateKey, jwk } = savedKey();
  assert.deepEqual([privateKey.type, privateKey.extractable], ["private", false]);
  assert.deepEqual(privateKey.usages, ["sign"]);
  await assert.rejects(crypto.subtle.exportKey("jwk", privateKey), /key is not extractable/);
  gate.letGo();
  await login;
  assert.equal(read(proofs("/auth/login")[0]).x, jwk.x);
});

test("the key is saved with its session before other tabs ask for it", async () => {
  const email = await registered();
  const gate = holdBack("/api/me");
  const login = openTab({ bind }).login(email, PASSWORD);
  await gate.reached;
  assert.match(savedKey().sid, /./);
  gate.letGo();
  await login;
});

test("after a restart, and in another tab, the session goes on with the same key", async () => {
  const { email } = await loggedIn({ bind });
  const { jwk } = savedKey();
  const tabs = [openTab({ bind }), openTab({ bind })];
  for (const tab of tabs) {
    assert.equal((await tab.restore()).email, email);
    assert.equal(tab.bound, true);
  }
  assert.deepEqual(proofs("/auth/refresh").map((proof) => read(proof).x), [jwk.x, jwk.x]);
});

test("a worker that cannot import gives the module itself, and shares the key", async () => {
  const { email } = await loggedIn({ bind });
  const worker = openTab({ bind: module });
  assert.equal((await worker.restore()).email, email);
  assert.equal(worker.bound, true);
});

test("two tabs that log in at once have one key", async () => {
  const [alice, bob] = [await registered(), await registered()];
  const tabs = [openTab({ bind }), openTab({ bind })];
  await Promise.all([tabs[0].login(alice, PASSWORD), tabs[1].login(bob, PASSWORD)]);
  const [first, second] = proofs("/auth/login").map(read);
  assert.equal(first.x, second.x);
  assert.equal(savedKey().jwk.x, first.x);
  assert.notEqual(await openTab({ bind }).restore(), null);
});

test("the cookie alone opens nothing, and the owner goes on", async () => {
  const { auth, email } = await loggedIn({ bind });
  globalThis.indexedDB = new Databases();
  const thief = openTab({ bind });
  assert.equal(await thief.restore(), null);
  assert.deepEqual([thief.status, thief.bound], ["out", null]);
  globalThis.indexedDB = databases;
  assert.equal((await auth.restore()).email, email);
});

test("a changed password opens a bound session", async () => {
  const { auth, email } = await loggedIn({ bind });
  const before = savedKey();
  await auth.changePassword(PASSWORD, "another horse, correct");
  assert.equal(auth.bound, true);
  assert.equal((await auth.sessions.list())[0].bound, "key");
  assert.equal(savedKey().jwk.x, before.jwk.x);
  assert.notEqual(savedKey().sid, before.sid);
  assert.equal((await openTab({ bind }).restore()).email, email);
});

for (const [words, seconds] of [
  ["two hours fast", 2 * HOUR],
  ["ten years slow", -10 * 365 * 24 * HOUR],
]) {
  test(`a clock that is ${words} costs one more request, once`, async (t) => {
    setDate(t, seconds);
    const { auth, email } = await loggedIn({ bind });
    assert.equal(auth.bound, true);
    assert.equal((await auth.restore()).email, email);
    assert.equal((await auth.restore()).email, email);
    const [first, second] = proofs("/auth/refresh").map(read);
    assert.equal(first.claims.nonce, second.claims.nonce);
    assert.equal(browser.requests("/auth/refresh").length, 2);
    assert.equal((await openTab({ bind }).restore()).email, email);
    assert.deepEqual(
      browser.requests("/auth/refresh").map((entry) => entry.status),
      [200, 200, 401, 200],
    );
  });
}

test("a service that is never content with a nonce is asked twice", async () => {
  const auth = openTab({ bind });
  const refused = problem(401, "use_dpop_nonce", { "DPoP-Nonce": "one" });
  answerInstead("/auth/login", refused, refused, refused);
  await assert.rejects(auth.login(newEmail(), PASSWORD), { code: "use_dpop_nonce", status: 401 });
  const nonces = proofs("/auth/login").map((proof) => read(proof).claims.nonce);
  assert.deepEqual(nonces, [undefined, "one"]);
  assert.equal(auth.status, "unknown");
});

test("a nonce in any other answer repeats nothing", async () => {
  const before = browser.network;
  browser.network = async (request, go) => {
    const { body, headers, status } = await before(request, go);
    return new Response(body, { status, headers: [...headers, ["DPoP-Nonce", "one"]] });
  };
  const auth = openTab({ bind });
  await auth.login(await registered(), PASSWORD);
  assert.equal(browser.requests("/auth/login").length, 1);
});

test("after a bound login the browser is asked to keep the key, and not waited for", async (t) => {
  let asked = 0;
  const persist = () => (asked += 1) && new Promise(() => {});
  setGlobal(t, "navigator", { storage: { persist } });
  const { auth } = await loggedIn({ bind });
  assert.equal(asked, 1);
  databases.openings = Array(9).fill(refusal);
  await auth.logout();
  await loggedIn({ bind });
  assert.equal(asked, 1);
});

test("the store has the key and the id of the session, and no token", async () => {
  const { auth } = await loggedIn({ bind });
  await auth.restore();
  assert.deepEqual([...databases.saved.keys()], [NAME]);
  assert.deepEqual([...databases.saved.get(NAME).keys()], ["key"]);
  const { privateKey, jwk, ...more } = savedKey();
  assert.deepEqual(more, { sid: (await auth.sessions.list())[0].id });
  assert.deepEqual(Object.keys(jwk), ["kty", "crv", "x", "y"]);
});
