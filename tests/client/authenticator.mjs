// A browser with passkeys (WebAuthn): its authenticator really signs, and the service verifies that.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

import { URL_OF_SERVICE } from "./browser.mjs";
import { setGlobal } from "./keys.mjs";

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_KEY = 0x40;
const HOST = new URL(URL_OF_SERVICE).hostname;

const hash = (data) => createHash("sha256").update(data).digest();
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");
const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const toBuffer = (bytes) => new Uint8Array(bytes).buffer;

/** Encode as CBOR (RFC 8949) what a passkey needs: small integers, bytes, text and maps. */
function cbor(value) {
  const head = (major, length) =>
    length < 24 ? [(major << 5) | length] : [(major << 5) | 24, length];
  if (typeof value === "number") return Buffer.from(value < 0 ? head(1, -1 - value) : head(0, value));
  if (typeof value === "string") return Buffer.from([...head(3, value.length), ...Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.from([...head(2, value.length), ...value]);
  const pairs = [...value].flat().map(cbor);
  return Buffer.concat([Buffer.from(head(5, value.size)), ...pairs]);
}

/** Imitate a response: in browsers `for...in` finds its members, which are inherited. */
const responseOf = (members) =>
  Object.create({ ...members, getTransports: () => ["internal"] });

export class Authenticator {
  passkeys = [];
  // What was asked for: `{ method, mediation, publicKey }`.
  asked = [];
  // A function that takes the place of the person for the next prompts, such as one that throws.
  persons = [];
  // Whether the page waits for an autofill, and how a test chooses a passkey in it.
  choose = undefined;
  isModern = true;
  #pending = false;

  create = ({ publicKey, signal }) =>
    this.#prompt({ method: "create", publicKey, signal }, () => this.#make(publicKey));

  get = ({ publicKey, signal, mediation }) =>
    this.#prompt({ method: "get", publicKey, signal, mediation }, () => this.#use(publicKey));

  async #prompt(asked, work) {
    this.asked.push(asked);
    const { signal, mediation } = asked;
    signal?.throwIfAborted();
    if (this.#pending) throw new DOMException("A request is already pending.", "OperationError");
    this.#pending = true;
    const person = this.persons.shift() ?? (() => {});
    try {
      await new Promise((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
        if (mediation === "conditional") this.choose = resolve;
        else Promise.resolve().then(person).then(resolve, reject);
      });
      return work();
    } finally {
      this.#pending = false;
      if (mediation === "conditional") this.choose = undefined;
    }
  }

  #credential({ id }, members) {
    const response = responseOf(members);
    const credential = { id: base64url(id), rawId: toBuffer(id), type: "public-key", response };
    if (this.isModern) {
      const encoded = Object.entries(members).map(([name, buffer]) => [name, base64url(buffer)]);
      const json = { ...credential, rawId: credential.id, response: Object.fromEntries(encoded) };
      credential.toJSON = () => ({ ...json, clientExtensionResults: {} });
    }
    return credential;
  }

  #client(type, { challenge }) {
    const said = { type, challenge: base64url(challenge), origin: URL_OF_SERVICE };
    return Buffer.from(JSON.stringify(said));
  }

  #make({ challenge, user, excludeCredentials }) {
    const has = (id) => excludeCredentials.some((other) => base64url(other.id) === base64url(id));
    if (this.passkeys.some(({ id }) => has(id))) {
      throw new DOMException("The authenticator was previously registered.", "InvalidStateError");
    }
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const passkey = { id: randomBytes(32), privateKey, user: user.id };
    this.passkeys.push(passkey);
    const { x, y } = publicKey.export({ format: "jwk" });
    const key = cbor(new Map([[1, 2], [3, -7], [-1, 1], [-2, bytesOf(x)], [-3, bytesOf(y)]]));
    const flags = USER_PRESENT | USER_VERIFIED | HAS_KEY;
    const about = [hash(HOST), [flags], Buffer.alloc(4), Buffer.alloc(16), [0, 32], passkey.id, key];
    const data = Buffer.concat(about.map((part) => Buffer.from(part)));
    const attestation = cbor(new Map([["fmt", "none"], ["attStmt", new Map()], ["authData", data]]));
    return this.#credential(passkey, {
      clientDataJSON: toBuffer(this.#client("webauthn.create", { challenge })),
      attestationObject: toBuffer(attestation),
    });
  }

  #use({ challenge }) {
    const passkey = this.passkeys.at(-1);
    if (!passkey) throw new DOMException("No passkey.", "NotAllowedError");
    const client = this.#client("webauthn.get", { challenge });
    const data = Buffer.concat([hash(HOST), Buffer.from([USER_PRESENT | USER_VERIFIED, 0, 0, 0, 0])]);
    const signed = Buffer.concat([data, hash(client)]);
    return this.#credential(passkey, {
      clientDataJSON: toBuffer(client),
      authenticatorData: toBuffer(data),
      signature: toBuffer(sign("sha256", signed, passkey.privateKey)),
      userHandle: toBuffer(passkey.user),
    });
  }
}

/** Let the browser of this test have passkeys; an older one converts no JSON, and has no autofill. */
export function givePasskeys(t, { isModern = true } = {}) {
  const credentials = new Authenticator();
  credentials.isModern = isModern;
  const parseId = (entity) => ({ ...entity, id: bytesOf(entity.id) });
  const parse = ({ challenge, ...options }) => ({ ...options, challenge: bytesOf(challenge) });
  const modern = {
    isConditionalMediationAvailable: async () => true,
    parseRequestOptionsFromJSON: parse,
    parseCreationOptionsFromJSON: ({ user, excludeCredentials, ...options }) => ({
      ...parse(options),
      user: parseId(user),
      excludeCredentials: excludeCredentials.map(parseId),
    }),
  };
  setGlobal(t, "PublicKeyCredential", isModern ? modern : {});
  setGlobal(t, "navigator", { credentials, storage: { persist: async () => true } });
  return credentials;
}
