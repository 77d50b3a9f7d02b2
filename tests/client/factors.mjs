// Pages with second factors, and their people.

import { createHmac } from "node:crypto";

import { PASSWORD, URL_OF_SERVICE, browser, newEmail, openTab } from "./browser.mjs";
import { Browser } from "./jar.mjs";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

let loaded = 0;

/** Return a client in a new tab; `onReauthenticate` is an option beside those of `createAuth`. */
export async function openPage({ onReauthenticate, ...options } = {}) {
  const copy = `../../authsvc/static/authsvc-factors.js?copy=${(loaded += 1)}`;
  const { withFactors } = await import(copy);
  return withFactors(openTab(options), onReauthenticate ? { onReauthenticate } : undefined);
}

/** Return a tab in which a new user is logged in. */
export async function loggedInPage(options, open = openPage) {
  const auth = await open(options);
  const email = newEmail();
  await auth.register(email, PASSWORD);
  await auth.login(email, PASSWORD);
  browser.sent.length = 0;
  return { auth, email };
}

/** Return the code of a secret (RFC 6238), some steps of 30 seconds from now. */
export function codeOf(secret, steps = 0) {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0"));
  const key = Buffer.from(bits.join("").match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac("sha1", key).update(counter).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Return a user with an authenticator app and recovery codes, who is logged in here by both factors. */
export async function withApp(options) {
  const { auth, email } = await loggedInPage(options);
  const { secret } = await auth.factors.beginTotp();
  const recoveryCodes = await auth.factors.confirmTotp(codeOf(secret));
  browser.sent.length = 0;
  return { auth, email, secret, recoveryCodes };
}

/** Return a user whose app was added on another device: the session here has the password alone. */
export async function withAppOnAnotherDevice({ openPage, ...options } = {}) {
  const { auth, email } = await loggedInPage(options, openPage);
  const device = new Browser();
  const send = async (method, path, body, token) => {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
    if (!token) delete headers.Authorization;
    const sent = { method, headers, credentials: "include", body: JSON.stringify(body) };
    return (await device.fetch(new URL(path, URL_OF_SERVICE), sent)).json();
  };
  const { access_token } = await send("POST", "/auth/login", { email, password: PASSWORD });
  const { secret } = await send("POST", "/api/me/totp", {}, access_token);
  await send("PUT", "/api/me/totp", { code: codeOf(secret) }, access_token);
  return { auth, email, secret };
}

/** Return what an access token says. */
export const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
