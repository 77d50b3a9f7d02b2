// The key of a bound session: refused, lost, deleted, and not loaded.

import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";

import {
  COOKIE,
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  hurry,
  loadModule,
  loggedIn,
  newEmail,
  onAnotherDevice,
  openTab,
  until,
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
import { answerInstead, cut, holdBack, problem } from "./network.mjs";

/** Return a tab in which a new user is logged in, without a key. */
async function loggedInUnbound() {
  const { auth, email } = await loggedIn({ bind });
  assert.equal(auth.bound, false);
  const [session] = await auth.sessions.list();
  assert.equal(session.bound, null);
  return { auth, email };
}

const refusals = {
  "has no IndexedDB": (t) => setGlobal(t, "indexedDB", undefined),
  "refuses IndexedDB": () => (databases.openings = Array(9).fill(refusal)),
  "saves nothing": () => (databases.commits = [() => {}, refusal]),
  "has no WebCrypto, as on an insecure origin": (t) => setGlobal(t, "crypto", {}),
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

test("a late refusal of the session before does not unbind the next in this page", async () => {
  const { auth, email } = await loggedIn({ bind });
  const late = holdBack("/auth/refresh", { answer: problem(401, "refresh_token_revoked") });
  const restored = auth.restore();
  await late.reached;
  await auth.login(email, PASSWORD);
  late.letGo();
  await restored;
  assert.equal(auth.bound, true);
});

test("a cookie that is missing for a while costs no key", async () => {
  const { auth, email } = await loggedIn({ bind });
  const { cookies } = browser;
  browser.cookies = new Map();
  assert.equal(await auth.restore(), null);
  browser.cookies = cookies;
  assert.equal((await auth.restore()).email, email);
  assert.equal(auth.bound, true);
});

test("a session whose id cannot be saved beside its key is bound, and goes on", async () => {
  databases.commits = [() => {}, () => {}, refusal];
  const { auth, email } = await loggedIn({ bind });
  assert.equal(auth.bound, true);
  assert.equal((await openTab({ bind }).restore()).email, email);
});

test("a second client of the page that does not ask for binding shares it", async (t) => {
  const { createAuth } = loadModule();
  const clients = [{ bind }, {}].map((more) => createAuth({ baseUrl: URL_OF_SERVICE, ...more }));
  t.after(() => clients.forEach((client) => client.close()));
  await clients[1].login(await registered(), PASSWORD);
  assert.deepEqual(clients.map((client) => client.bound), [true, true]);
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
      if (/binding/.test(specifier) && /offline/.test(context.parentURL)) throw new Error();
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

test("an answer to a login that is not the service's is an error as ever", async () => {
  const { auth } = await loggedIn({ bind });
  answerInstead("/auth/login", () => Response.json({}));
  await assert.rejects(auth.login(newEmail(), PASSWORD), { code: "http_error", status: 200 });
});
