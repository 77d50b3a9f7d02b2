// The key of a bound session, as a test sees it: its store, its proofs, and a browser that refuses.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { beforeEach } from "node:test";

import { PASSWORD, URL_OF_SERVICE, browser, newEmail, openTab } from "./browser.mjs";
import { Databases } from "./indexed_db.mjs";

export const NAME = `authsvc ${URL_OF_SERVICE}/`;
export const bind = true;

/** IndexedDB of the browser of this test. */
export let databases;

beforeEach(() => {
  databases = globalThis.indexedDB = new Databases();
});

export const savedKey = () => databases.saved.get(NAME)?.get("key");
export const proofs = (path) => browser.requests(path).map((entry) => entry.proof);
const decode = (part) => JSON.parse(Buffer.from(part, "base64url"));

/** Return what a proof says; its signature is verified by another implementation. */
export function read(proof) {
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

export async function registered() {
  const email = newEmail();
  await openTab().register(email, PASSWORD);
  return email;
}

/** Let the browser of this test have another value for a global name. */
export function setGlobal(t, name, value) {
  const kept = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  t.after(() => {
    delete globalThis[name];
    if (kept) Object.defineProperty(globalThis, name, kept);
  });
}

export const refusal = () => {
  throw new DOMException("refused", "SecurityError");
};
