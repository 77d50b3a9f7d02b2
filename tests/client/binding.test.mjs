// Sessions that are bound to a key of the browser: `bind: true`.

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { beforeEach, test } from "node:test";

import { PASSWORD, URL_OF_SERVICE, browser, loggedIn, newEmail, openTab, until } from "./browser.mjs";
import { Databases } from "./indexed_db.mjs";
import { Browser } from "./jar.mjs";
import { answerInstead, holdBack, problem } from "./network.mjs";

const NAME = `authsvc ${URL_OF_SERVICE}/`;
const bind = true;
let databases;

beforeEach(() => {
  databases = globalThis.indexedDB = new Databases();
});

const savedKey = () => databases.saved.get(NAME)?.get("key");
const proofs = (path) => browser.requests(path).map((entry) => entry.proof);
const decode = (part) => JSON.parse(Buffer.from(part, "base64url"));

/** Return the parts of a proof whose signature is right. */
function read(proof) {
  const [header, claims, signature] = proof.split(".");
  const { typ, alg, jwk, ...more } = decode(header);
  assert.deepEqual([typ, alg, more], ["dpop+jwt", "ES256", {}]);
  assert.deepEqual([jwk.kty, jwk.crv, Object.keys(jwk).length], ["EC", "P-256", 4]);
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  const signed = Buffer.from(`${header}.${claims}`);
  assert.ok(verify("sha256", signed, key, Buffer.from(signature, "base64url")));
  return { jwk, claims: decode(claims) };
}

test("a login is bound to a key of this browser", async () => {
  const auth = openTab({ bind });
  const email = newEmail();
  await auth.register(email, PASSWORD);
  assert.equal(auth.bound, null);
  await auth.login(email, PASSWORD);
  assert.equal(auth.bound, true);
  const [session] = await auth.sessions.list();
  assert.equal(session.bound, "key");
  const [{ claims }] = proofs("/auth/login").map(read);
  const { jti, iat, ...rest } = claims;
  assert.match(jti, /^[\da-f-]{36}$/);
  assert.ok(Math.abs(Date.now() / 1_000 - iat) < 10);
  assert.deepEqual(rest, { htm: "POST", htu: `${URL_OF_SERVICE}/auth/login` });
});
