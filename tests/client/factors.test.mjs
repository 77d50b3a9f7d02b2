// authsvc-factors.js: second factors at a login, and their list.

import assert from "node:assert/strict";
import { test } from "node:test";

import { givePasskeys } from "./authenticator.mjs";
import { PASSWORD, URL_OF_SERVICE, browser, newEmail, openTab } from "./browser.mjs";
import { claimsOf, codeOf, loggedInPage, openPage, withApp } from "./factors.mjs";
import { answerInstead, cut, problem } from "./network.mjs";

test("without a second factor, a login is what it was", async () => {
  const { auth, email } = await loggedInPage();
  assert.equal((await auth.login(email, PASSWORD, { signal: AbortSignal.timeout(9_000) })).email, email);
  await assert.rejects(auth.login(email, PASSWORD, { signal: AbortSignal.abort("no") }), (r) => r === "no");
  assert.deepEqual(await auth.factors.list(), {
    totp: { enabled: false, since: null },
    recovery_codes: { left: 0 },
    passkeys: [],
  });
});

test("a login without the second factor says what the account accepts, and opens nothing", async () => {
  const { email } = await withApp();
  browser.cookies.clear();
  const auth = await openPage();
  await assert.rejects(auth.login(email, PASSWORD), (error) => {
    const { code, status, methods } = error;
    assert.deepEqual([code, status, methods], [
      "second_factor_required",
      401,
      ["totp", "recovery_code"],
    ]);
    return true;
  });
  assert.equal(auth.user, null);
  assert.equal(await auth.restore(), null);
});

test("a login takes the code of the app, and a recovery code", async () => {
  const { email, secret, recoveryCodes } = await withApp();
  assert.equal(recoveryCodes.length, 10);
  const auth = await openPage();
  assert.equal((await auth.login(email, PASSWORD, { code: codeOf(secret, 1) })).email, email);
  assert.equal(claimsOf(await auth.token()).acr, "aal2");
  await auth.login(email, PASSWORD, { recoveryCode: recoveryCodes[0] });
  assert.deepEqual(claimsOf(await auth.token()).amr, ["pwd", "otp", "mfa"]);
  assert.equal((await auth.factors.list()).recovery_codes.left, 9);
});

test("a wrong code is refused as the service says it, and a cut network as always", async () => {
  const { email } = await withApp();
  const auth = await openPage();
  const login = () => auth.login(email, PASSWORD, { recoveryCode: "AAAAA" });
  await assert.rejects(login(), { code: "invalid_credentials", status: 401, methods: undefined });
  answerInstead("/auth/login", cut);
  await assert.rejects(login(), { code: "network_error", methods: undefined });
});

test("after an app or a passkey is added, the access token has it", async (t) => {
  givePasskeys(t);
  const { auth } = await loggedInPage();
  const { secret, uri, qr_svg } = await auth.factors.beginTotp();
  assert.match(uri, /^otpauth:\/\/totp\//);
  assert.match(qr_svg, /^<svg|^<\?xml/);
  assert.equal(claimsOf(await auth.token()).acr, "aal1");
  await auth.factors.confirmTotp(codeOf(secret));
  assert.equal(claimsOf(await auth.token()).acr, "aal2");
  await auth.factors.removeTotp();
  assert.equal((await auth.factors.list()).totp.enabled, false);
  await auth.factors.addPasskey("Laptop");
  assert.ok(claimsOf(await auth.token()).amr.includes("hwk"));
});

test("a refresh that fails after an app was added does not hide the recovery codes", async () => {
  const { auth } = await loggedInPage();
  const { secret } = await auth.factors.beginTotp();
  answerInstead("/auth/refresh", problem(401, "refresh_token_revoked"));
  assert.equal((await auth.factors.confirmTotp(codeOf(secret))).length, 10);
});

test("recovery codes are replaced, and passkeys are removed", async (t) => {
  givePasskeys(t);
  const { auth, recoveryCodes } = await withApp();
  const replaced = await auth.factors.replaceRecoveryCodes();
  assert.equal(new Set([...replaced, ...recoveryCodes]).size, 20);
  const { id, name } = await auth.factors.addPasskey("Laptop");
  assert.equal(name, "Laptop");
  await auth.factors.removePasskey(id);
  assert.deepEqual((await auth.factors.list()).passkeys, []);
  await assert.rejects(auth.factors.removePasskey("../totp"), { code: "not_found" });
  assert.equal((await auth.factors.list()).totp.enabled, true);
});

test("each call takes a signal, and rejects with its reason", async () => {
  const { auth, email } = await loggedInPage();
  const calling = { signal: AbortSignal.abort("enough") };
  const calls = [
    () => auth.factors.list(calling),
    () => auth.factors.beginTotp(calling),
    () => auth.factors.confirmTotp("123456", calling),
    () => auth.factors.removeTotp(calling),
    () => auth.factors.replaceRecoveryCodes(calling),
    () => auth.factors.addPasskey("Laptop", calling),
    () => auth.factors.removePasskey("one", calling),
    () => auth.login(email, PASSWORD, { code: "123456", ...calling }),
    () => auth.loginWithPasskey(calling),
    () => auth.loginWithPasskey({ autofill: true, ...calling }),
    () => auth.reauthenticate({ password: PASSWORD, ...calling }),
    () => auth.reauthenticate({ passkey: true, ...calling }),
  ];
  for (const call of calls) await assert.rejects(call(), (reason) => reason === "enough");
  assert.equal(browser.sent.length, 0);
});

test("what the client did before, it still does", async () => {
  const plain = openTab();
  const auth = await openPage();
  for (const name of Object.keys(plain)) assert.ok(name in auth, name);
  assert.deepEqual([auth.user, auth.status, auth.bound], [null, "unknown", null]);
  const email = newEmail();
  await auth.register(email, PASSWORD);
  const seen = [];
  auth.onChange((user) => seen.push(user?.email));
  await auth.login(email, PASSWORD);
  await auth.changePassword(PASSWORD, "another horse, correct");
  assert.equal((await (await auth.fetch(`${URL_OF_SERVICE}/api/me`)).json()).email, email);
  await auth.deleteAccount("another horse, correct");
  assert.deepEqual([auth.user, auth.status], [null, "out"]);
  await new Promise(setImmediate);
  assert.deepEqual(seen, [email, undefined]);
});
