// authsvc-factors.js: passkeys, in a prompt and in a form.

import assert from "node:assert/strict";
import { test } from "node:test";

import { givePasskeys } from "./authenticator.mjs";
import { COOKIE, PASSWORD, browser, newEmail, openTab, until } from "./browser.mjs";
import { claimsOf, loggedInPage, openPage } from "./factors.mjs";
import { bind, proofs, read, savedKey, setGlobal } from "./keys.mjs";
import { answerInstead, cut, holdBack, problem } from "./network.mjs";

const OPTIONS = "/auth/passkey/options";

const close = () => {
  throw new DOMException("The operation was not allowed.", "NotAllowedError");
};

/** Return a user who has a passkey in this browser, and is logged out. */
async function withPasskey(t, { isModern = true, ...options } = {}) {
  const passkeys = givePasskeys(t, { isModern });
  const { auth, email } = await loggedInPage(options);
  const added = await auth.factors.addPasskey("Laptop");
  await auth.logout();
  browser.sent.length = 0;
  passkeys.asked.length = 0;
  return { auth, email, passkeys, added };
}

/** Let the page wait for a passkey in a form. */
async function waiting(t, options) {
  const person = await withPasskey(t, options);
  const login = person.auth.loginWithPasskey({ autofill: true, ...options });
  await until(() => person.passkeys.choose);
  return { ...person, login };
}

for (const [words, isModern] of [
  ["a browser that converts JSON", true],
  ["an older browser", false],
]) {
  test(`in ${words} a passkey is added, and logs in, alone and with the password`, async (t) => {
    const { auth, email, passkeys, added } = await withPasskey(t, { isModern });
    assert.equal((await auth.loginWithPasskey()).email, email);
    assert.deepEqual(claimsOf(await auth.token()).amr, ["hwk", "mfa"]);
    const [{ last_used_at, synced, ...passkey }] = (await auth.factors.list()).passkeys;
    assert.deepEqual(passkey, added);
    assert.deepEqual([typeof last_used_at, synced], ["string", false]);
    await auth.login(email, PASSWORD, { passkey: true });
    assert.ok(claimsOf(await auth.token()).amr.includes("pwd"));
    await auth.reauthenticate({ passkey: true });
    assert.deepEqual(
      passkeys.asked.map(({ mediation, publicKey }) => [mediation, publicKey.userVerification]),
      Array(3).fill([undefined, "required"]),
    );
  });

  test(`in ${words} a device that has a passkey of the account is not given a second one`, async (t) => {
    const { auth } = await withPasskey(t, { isModern });
    await auth.loginWithPasskey();
    const adding = auth.factors.addPasskey("Laptop");
    await assert.rejects(adding, { name: "AuthError", code: "passkey_exists", status: 0 });
    assert.equal((await auth.factors.list()).passkeys.length, 1);
  });
}

test("a passkey of a password manager, whose toJSON throws, logs in", async (t) => {
  const { auth, email, passkeys } = await withPasskey(t);
  const { get } = passkeys;
  passkeys.get = async (options) => {
    const refuse = () => {
      throw new TypeError("Illegal invocation");
    };
    return Object.assign(await get(options), { toJSON: refuse });
  };
  assert.equal((await auth.loginWithPasskey()).email, email);
});

test("a login with a passkey tells the listeners and the other tabs", async (t) => {
  const { auth, email } = await withPasskey(t);
  const other = openTab();
  assert.equal(await other.restore(), null);
  const seen = [];
  auth.onChange((user) => seen.push(user?.email));
  await auth.loginWithPasskey();
  await until(() => other.user?.email === email);
  assert.deepEqual(seen, [email]);
});

test("an answer to a refresh from before a login with a passkey is dropped", async (t) => {
  const { auth, email } = await withPasskey(t);
  await auth.register("bob@example.com", PASSWORD).catch(() => {});
  await auth.login("bob@example.com", PASSWORD);
  const gate = holdBack("/auth/refresh", { answers: true });
  const refreshed = auth.refresh();
  await gate.reached;
  const login = auth.loginWithPasskey();
  await until(() => browser.requests("/auth/passkey")[0]?.status === 200);
  gate.letGo();
  assert.equal((await login).email, email);
  assert.equal((await refreshed).email, email);
  assert.equal(auth.user.email, email);
});

test("a login with a passkey waits for a logout that was asked for before", async (t) => {
  const { auth, email } = await withPasskey(t);
  await auth.loginWithPasskey();
  const gate = holdBack("/auth/logout", { answers: true });
  const logout = auth.logout();
  await gate.reached;
  const login = auth.loginWithPasskey();
  await until(() => browser.requests(OPTIONS).length === 2);
  assert.equal(browser.requests("/auth/passkey").length, 1);
  gate.letGo();
  await logout;
  assert.equal((await login).email, email);
  assert.ok(browser.cookies.has(COOKIE));
});

test("a session that a passkey opens is bound, and reauthentication proves the key", async (t) => {
  const { auth } = await withPasskey(t, { bind });
  assert.equal(savedKey(), undefined);
  await auth.loginWithPasskey();
  assert.equal(auth.bound, true);
  assert.equal((await auth.sessions.list())[0].bound, "key");
  await auth.reauthenticate({ passkey: true });
  const keys = ["/auth/passkey", "/auth/reauthenticate"].map((path) => read(proofs(path)[0]).x);
  assert.deepEqual(keys, Array(2).fill(savedKey().jwk.x));
  assert.equal(proofs(OPTIONS)[0], null);
});

test("a closed prompt is `cancelled`, and sends nothing", async (t) => {
  const { auth, email, passkeys } = await withPasskey(t);
  const tries = [
    () => auth.loginWithPasskey(),
    () => auth.login(email, PASSWORD, { passkey: true }),
    () => auth.reauthenticate({ passkey: true }),
  ];
  for (const attempt of tries) {
    passkeys.persons.push(close);
    await assert.rejects(attempt(), (error) => {
      assert.deepEqual([error.name, error.code, error.status], ["AuthError", "cancelled", 0]);
      assert.equal(error.cause.name, "NotAllowedError");
      return true;
    });
  }
  assert.deepEqual(new Set(browser.sent.map(({ path }) => path)), new Set([OPTIONS]));
  await auth.login(email, PASSWORD, { passkey: true });
  passkeys.passkeys.length = 0;
  passkeys.persons.push(close);
  await assert.rejects(auth.factors.addPasskey("Phone"), { code: "cancelled" });
});

test("a browser without passkeys says so", async (t) => {
  const auth = await openPage();
  await assert.rejects(auth.loginWithPasskey(), { code: "passkey_failed", status: 0 });
  setGlobal(t, "PublicKeyCredential", {});
  setGlobal(t, "navigator", {});
  await assert.rejects(auth.loginWithPasskey(), { code: "passkey_failed", status: 0 });
});

test("a signal closes the prompt, and the call rejects with its reason", async (t) => {
  const { auth, passkeys } = await withPasskey(t);
  const abort = new AbortController();
  passkeys.persons.push(() => new Promise(() => {}));
  const login = auth.loginWithPasskey({ signal: abort.signal });
  await until(() => passkeys.asked.length);
  abort.abort("enough");
  await assert.rejects(login, (reason) => reason === "enough");
  assert.ok(await auth.loginWithPasskey());
});

test("a passkey that was removed from the account is refused", async (t) => {
  const { auth, email, added } = await withPasskey(t);
  await auth.loginWithPasskey();
  await auth.factors.removePasskey(added.id);
  await auth.logout();
  await assert.rejects(auth.loginWithPasskey(), { code: "invalid_credentials", status: 401 });
  assert.equal((await auth.login(email, PASSWORD)).email, email);
});

test("a passkey that the person chooses in a form logs in", async (t) => {
  const { auth, email, login, passkeys } = await waiting(t);
  assert.equal(passkeys.asked[0].mediation, "conditional");
  assert.equal(browser.requests("/auth/passkey").length, 0);
  passkeys.choose();
  assert.equal((await login).email, email);
  assert.equal(auth.user.email, email);
});

test("a browser without autofill is not asked for it", async (t) => {
  const { auth } = await withPasskey(t, { isModern: false });
  assert.equal(await auth.loginWithPasskey({ autofill: true }), null);
  setGlobal(t, "PublicKeyCredential", undefined);
  assert.equal(await auth.loginWithPasskey({ autofill: true }), null);
  setGlobal(t, "PublicKeyCredential", { isConditionalMediationAvailable: async () => false });
  assert.equal(await auth.loginWithPasskey({ autofill: true }), null);
  assert.equal(browser.sent.length, 0);
});

const others = {
  "a login with the password": ({ auth, email }) => auth.login(email, PASSWORD, { passkey: true }),
  "a login in another tab": async ({ bob }) => openTab().login(bob, PASSWORD),
  "a prompt": ({ auth, passkeys }) => {
    passkeys.persons.push(close);
    return auth.loginWithPasskey().catch(() => {});
  },
  "a prompt for another passkey": ({ auth }) => auth.factors.addPasskey("Phone").catch(() => {}),
  "the end of the client": ({ auth }) => auth.close(),
};
for (const [words, act] of Object.entries(others)) {
  test(`autofill ends with null at ${words}`, async (t) => {
    const bob = newEmail();
    await openTab().register(bob, PASSWORD);
    const page = await waiting(t);
    await act({ ...page, bob });
    assert.equal(await page.login, null);
    assert.equal(page.passkeys.choose, undefined);
  });
}

test("the second autofill of a page takes the place of the first", async (t) => {
  const { auth, email, login, passkeys } = await waiting(t);
  const second = auth.loginWithPasskey({ autofill: true });
  assert.equal(await login, null);
  await until(() => passkeys.asked.length === 2);
  passkeys.choose();
  assert.equal((await second).email, email);
});

test("an autofill that has ended before it asked the browser does not ask", async (t) => {
  const { auth, passkeys } = await withPasskey(t);
  const gate = holdBack(OPTIONS);
  const login = auth.loginWithPasskey({ autofill: true });
  await gate.reached;
  const second = auth.loginWithPasskey();
  assert.equal(await login, null);
  gate.letGo();
  await second;
  assert.equal(passkeys.asked.length, 1);
});

test("a signal ends autofill, and the call rejects with its reason", async (t) => {
  const abort = new AbortController();
  const { auth, login, passkeys } = await waiting(t, { signal: abort.signal });
  abort.abort("enough");
  await assert.rejects(login, (reason) => reason === "enough");
  assert.equal(passkeys.choose, undefined);
  assert.ok(await auth.loginWithPasskey());
});

test("while a form waits, the next challenge takes the place of one that will expire", async (t) => {
  const every = [];
  t.mock.method(globalThis, "setInterval", (work, wait) => every.push([work, wait]));
  const { email, login, passkeys } = await waiting(t);
  const [[renew, wait]] = every;
  assert.equal(wait, 150_000);
  answerInstead(OPTIONS, cut);
  await renew();
  assert.equal(passkeys.asked.length, 1);
  await renew();
  await until(() => passkeys.asked.length === 2);
  const [first, second] = passkeys.asked.map(({ publicKey }) => publicKey.challenge);
  assert.notDeepEqual(first, second);
  passkeys.choose();
  assert.equal((await login).email, email);
  assert.equal(every.length, 1);
});

test("autofill rejects if the service refuses it, or the person closes the check", async (t) => {
  const { auth, passkeys } = await withPasskey(t);
  answerInstead(OPTIONS, problem(429, "rate_limited"));
  await assert.rejects(auth.loginWithPasskey({ autofill: true }), { code: "rate_limited" });
  passkeys.get = close;
  await assert.rejects(auth.loginWithPasskey({ autofill: true }), { code: "cancelled" });
});
