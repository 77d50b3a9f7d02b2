// Sessions that are bound to a key of the browser: `bind: true`.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { register } from "node:module";
import { beforeEach, test } from "node:test";

import * as module from "../../authsvc/static/authsvc-binding.js";
import {
  COOKIE,
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  hurry,
  loggedIn,
  moveClock,
  newEmail,
  onAnotherDevice,
  openTab,
  until,
} from "./browser.mjs";
import { Databases } from "./indexed_db.mjs";
import { answerInstead, cut, holdBack, problem } from "./network.mjs";

const NAME = `authsvc ${URL_OF_SERVICE}/`;
const HOUR = 3_600;
const TTL = 600;
const bind = true;
let databases;

beforeEach(() => {
  databases = globalThis.indexedDB = new Databases();
});

const savedKey = () => databases.saved.get(NAME)?.get("key");
const proofs = (path) => browser.requests(path).map((entry) => entry.proof);
const decode = (part) => JSON.parse(Buffer.from(part, "base64url"));

/** Return what a proof says; its signature is verified by another implementation. */
function read(proof) {
  const [header, claims, signature] = proof.split(".");
  const { typ, alg, jwk, ...more } = decode(header);
  assert.deepEqual([typ, alg, more], ["dpop+jwt", "ES256", {}]);
  const { kty, crv, x, y, ...others } = jwk;
  assert.deepEqual([kty, crv, others], ["EC", "P-256", {}]);
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  const signed = Buffer.from(`${header}.${claims}`);
  assert.ok(verify("sha256", signed, key, Buffer.from(signature, "base64url")));
  return { x, claims: decode(claims) };
}

async function registered() {
  const email = newEmail();
  await openTab().register(email, PASSWORD);
  return email;
}

/** Return a tab in which a new user is logged in, without a key. */
async function loggedInUnbound() {
  const { auth, email } = await loggedIn({ bind });
  assert.equal(auth.bound, false);
  const [session] = await auth.sessions.list();
  assert.equal(session.bound, null);
  return { auth, email };
}

/** Set the date of the page, and of nothing else. */
function setDate(t, seconds) {
  const now = Date.now;
  t.mock.method(Date, "now", () => now() + seconds * 1_000);
}

function refuseToUse(t, name, value) {
  const kept = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  t.after(() => {
    delete globalThis[name];
    if (kept) Object.defineProperty(globalThis, name, kept);
  });
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

test("each request that needs a proof has one of its own by the same key, and no other", async (t) => {
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
  assert.deepEqual(proofs("/auth/login").map((proof) => read(proof).claims.nonce), [undefined, "one"]);
  assert.equal(auth.status, "unknown");
});

const refusal = () => {
  throw new DOMException("refused", "SecurityError");
};
const refusals = {
  "has no IndexedDB": (t) => refuseToUse(t, "indexedDB", undefined),
  "refuses IndexedDB": () => (databases.openings = Array(9).fill(refusal)),
  "saves nothing": () => (databases.commits = [() => {}, refusal]),
  "has no WebCrypto, as on an insecure origin": (t) => refuseToUse(t, "crypto", {}),
};
for (const [words, refuse] of Object.entries(refusals)) {
  test(`a browser that ${words} logs in, and says that it is not bound`, async (t) => {
    refuse(t);
    const { auth, email } = await loggedInUnbound();
    assert.equal((await auth.restore()).email, email);
    assert.equal(auth.bound, false);
    assert.ok(browser.sent.every((entry) => entry.proof === null));
  });
}

test("a session from before the page asked for binding stays as it is", async () => {
  const { email } = await loggedIn();
  const auth = openTab({ bind });
  assert.equal((await auth.restore()).email, email);
  assert.equal(auth.bound, false);
  await auth.login(email, "wrong password").catch(() => {});
  assert.notEqual(savedKey(), undefined);
  assert.equal((await auth.restore()).email, email);
  assert.equal(auth.bound, false);
});

test("a lost key is a logout, and the next login makes another", async () => {
  const { auth, email } = await loggedIn({ bind });
  const lost = savedKey().jwk.x;
  databases.saved.clear();
  assert.equal(await auth.restore(), null);
  assert.equal(auth.status, "out");
  assert.equal(browser.requests("/auth/refresh").length, 2);
  assert.ok(browser.cookies.has(COOKIE));
  await auth.login(email, PASSWORD);
  assert.equal(auth.bound, true);
  assert.notEqual(savedKey().jwk.x, lost);
  assert.equal((await openTab({ bind }).restore()).email, email);
});

test("a key that is not the session's is a logout, and binds the next login", async () => {
  const { auth, email } = await loggedIn({ bind });
  auth.close();
  globalThis.indexedDB = new Databases();
  await openTab({ bind }).login(email, PASSWORD); // as a page of another origin does
  globalThis.indexedDB = databases;
  const page = openTab({ bind });
  browser.sent.length = 0;
  assert.equal(await page.restore(), null);
  assert.equal(browser.requests("/auth/refresh").length, 2);
  await page.login(email, PASSWORD);
  assert.equal(page.bound, true);
  assert.equal((await openTab({ bind }).restore()).email, email);
});

test("a key that the browser cannot read any more is replaced at the next login", async () => {
  const { auth, email } = await loggedIn({ bind });
  databases.saved.set(NAME, new Map([["key", { ...savedKey(), privateKey: null }]]));
  assert.equal(await openTab({ bind }).restore(), null);
  await auth.login(email, PASSWORD);
  assert.equal(auth.bound, true);
  assert.equal((await openTab({ bind }).restore()).email, email);
});

test("a page that has read the key goes on while the store cannot be read", async () => {
  const { auth, email } = await loggedIn({ bind });
  databases.openings = [refusal];
  assert.equal((await auth.restore()).email, email);
  assert.deepEqual([auth.bound, browser.requests("/auth/refresh").length], [true, 1]);
});

const endings = {
  logout: (auth) => auth.logout(),
  logoutEverywhere: (auth) => auth.logoutEverywhere(),
  deleteAccount: (auth) => auth.deleteAccount(PASSWORD),
  "sessions.revoke": async (auth) => auth.sessions.revoke((await auth.sessions.list())[0].id),
};
for (const [name, end] of Object.entries(endings)) {
  test(`${name} deletes the key, needs no proof, and the next login has another key`, async () => {
    const { auth } = await loggedIn({ bind });
    const other = openTab({ bind });
    await other.restore();
    const { jwk } = savedKey();
    browser.sent.length = 0;
    await end(auth);
    assert.equal(savedKey(), undefined);
    assert.ok(browser.sent.every((entry) => entry.proof === null));
    assert.equal(auth.bound, null);
    await until(() => other.status === "out");
    await auth.login(await registered(), PASSWORD);
    assert.notEqual(savedKey().jwk.x, jwk.x);
    await until(() => other.bound);
  });
}

test("a tab that has not asked for the session deletes the key by its logout too", async () => {
  await loggedIn({ bind });
  await openTab({ bind }).logout();
  assert.equal(savedKey(), undefined);
});

test("a deleted key binds no session, though the page has read it", async () => {
  const { auth, email } = await loggedIn({ bind });
  await auth.logout();
  databases.openings = [refusal];
  await auth.login(email, PASSWORD);
  assert.equal(auth.bound, false);
  assert.equal(proofs("/auth/login").at(-1), null);
});

test("a logout that fails keeps the key, and so does the end of another session", async () => {
  const { auth, email } = await loggedIn({ bind });
  answerInstead("/auth/logout", problem(503, "service_unavailable"), cut);
  await assert.rejects(auth.logout(), { status: 503 });
  await assert.rejects(auth.logout(), { status: 0 });
  await onAnotherDevice(email);
  const [other] = (await auth.sessions.list()).filter((session) => !session.current);
  await auth.sessions.revoke(other.id);
  assert.equal((await openTab({ bind }).restore()).email, email);
});

test("a session that was ended on another device takes its key with it", async () => {
  const { auth, email } = await loggedIn({ bind });
  await (await onAnotherDevice(email)).call("DELETE", "/api/me/sessions");
  assert.equal(await auth.restore(), null);
  assert.equal(savedKey(), undefined);
});

test("a late refusal of the session before does not delete the key of the next", async () => {
  const { auth, email } = await loggedIn({ bind });
  const late = holdBack("/auth/refresh", { answer: problem(401, "refresh_token_revoked") });
  const restored = auth.restore();
  await late.reached;
  const other = openTab({ bind });
  await other.login(email, PASSWORD);
  late.letGo();
  assert.equal((await restored).email, email);
  assert.equal(auth.bound, true);
  assert.equal((await openTab({ bind }).restore()).email, email);
});

test("a key that another tab deletes while a session opens is saved again", async () => {
  const email = await registered();
  const gate = holdBack("/auth/login");
  const login = openTab({ bind }).login(email, PASSWORD);
  await gate.reached;
  databases.saved.clear();
  gate.letGo();
  await login;
  assert.equal((await openTab({ bind }).restore()).email, email);
});

test("a page without `bind` that shares the cookie is logged out, and ends nothing", async () => {
  const { auth, email } = await loggedIn({ bind });
  const other = openTab();
  assert.equal(await other.restore(), null);
  assert.deepEqual([other.status, other.bound], ["out", null]);
  assert.equal(browser.requests("/auth/refresh").length, 2);
  assert.equal((await auth.restore()).email, email);
});

// A tab whose copy of the module cannot import the other one.
register(
  `data:text/javascript,${encodeURIComponent(`
    export async function resolve(specifier, context, next) {
      if (/binding/.test(specifier) && /offline/.test(context.parentURL)) throw new Error("offline");
      return next(specifier, context);
    }`)}`,
);
let loaded = 0;

async function openWithoutImport(t) {
  const copy = `../../authsvc/static/authsvc.js?offline=${(loaded += 1)}`;
  const auth = (await import(copy)).createAuth({ baseUrl: URL_OF_SERVICE, bind });
  t.after(() => auth.close());
  return auth;
}

test("a page that cannot import the module logs in without a key", async (t) => {
  const auth = await openWithoutImport(t);
  const email = await registered();
  assert.equal((await auth.login(email, PASSWORD)).email, email);
  assert.equal(auth.bound, false);
  assert.equal((await auth.restore()).email, email);
});

test("a page that cannot import the module does not take a bound session for ended", async (t) => {
  hurry();
  const { email } = await loggedIn({ bind });
  const auth = await openWithoutImport(t);
  await assert.rejects(auth.restore(), { code: "network_error", status: 0 });
  assert.equal(auth.status, "unknown");
  assert.equal((await openTab({ bind }).restore()).email, email);
});

test("after a bound login the browser is asked to keep its storage, and not waited for", async (t) => {
  let asked = 0;
  const persist = () => (asked += 1) && new Promise(() => {});
  refuseToUse(t, "navigator", { storage: { persist } });
  const { auth } = await loggedIn({ bind });
  assert.equal(asked, 1);
  databases.openings = Array(9).fill(refusal);
  await auth.logout();
  await loggedIn({ bind });
  assert.equal(asked, 1);
});

test("an answer to a login that is not the service's is an error as ever", async () => {
  const { auth } = await loggedIn({ bind });
  answerInstead("/auth/login", () => Response.json({}));
  await assert.rejects(auth.login(newEmail(), PASSWORD), { code: "http_error", status: 200 });
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
