// The key of bound sessions. The private key cannot be extracted: it is made here, stays in this
// browser's IndexedDB, and signs proofs (DPoP, RFC 9449).

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const OPENS = /\/(auth\/(login|passkey)|api\/me\/password)$/;
const PROVES = /\/auth\/(refresh|reauthenticate|email\/verify)$/;
const ENDS = /^(POST.*\/auth\/logout|DELETE.*\/api\/me(\/sessions)?)$/;
const ignore = () => {};

const encode = (text) => btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

/** Work on the stored key; resolves when that is saved. */
async function inStore(name, work) {
  const database = await new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    opening.onupgradeneeded = () => opening.result.createObjectStore("key");
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  return new Promise((resolve, reject) => {
    const transaction = database.transaction("key", "readwrite", { durability: "strict" });
    const store = transaction.objectStore("key");
    const reading = store.get("key");
    let result;
    reading.onsuccess = () => (result = work(reading.result, store));
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = () => reject(transaction.error);
  }).finally(() => database.close());
}

const save = (key, store) => store.put(key, "key") && key;

/** Return the key; make and save one if a session is to open. */
async function findKey(name, isOpening) {
  const found = await inStore(name, (key) => key);
  if (found?.privateKey || !isOpening) return found;
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ALGORITHM, false, ["sign"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const made = { privateKey, jwk: { kty, crv, x, y } };
  // Another tab may have been first.
  return inStore(name, (key, store) => (key?.privateKey ? key : save(made, store)));
}

const read = (response) => response.clone().json();

async function prove({ privateKey, jwk }, { origin, pathname }, htm, nonce) {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { jti: crypto.randomUUID(), htm, htu: origin + pathname, iat, nonce };
  const signed = [{ typ: "dpop+jwt", alg: "ES256", jwk }, claims]
    .map((part) => encode(JSON.stringify(part)))
    .join(".");
  const bytes = new TextEncoder().encode(signed);
  const signature = await crypto.subtle.sign(ALGORITHM, privateKey, bytes);
  return `${signed}.${encode(String.fromCharCode(...new Uint8Array(signature)))}`;
}

/** Save the key again with its session: another tab may have deleted it meanwhile. */
async function keep(state, made, response) {
  const { access_token } = await read(response);
  const payload = access_token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
  const { sid } = JSON.parse(atob(payload));
  const key = { ...made, sid };
  await inStore(state.name, (_, store) => save(key, store)).catch(ignore);
  Object.assign(state, { key, sid });
  navigator.storage.persist().catch(ignore);
}

/**
 * Return a `fetch` that adds proofs, and deletes the key when its session has ended.
 *
 * @param {any} state the `name` of the store, and what is found: the `key`, the `sid` of the session
 *   that is bound to it, and the service's `nonce`
 */
export const withProofs = (state, send) => async (url, init) => {
  const { method } = init;
  const isOpening = OPENS.test(url.pathname);
  const isProving = isOpening || PROVES.test(url.pathname);
  if (isProving) {
    // If the store is refused: as read before, or without.
    state.key = await findKey(state.name, isOpening).catch(() => state.key);
    state.sid = state.key?.sid;
  }
  const { key, sid } = state;
  let proof;
  const attempt = async () => {
    proof = isProving && key && (await prove(key, url, method, state.nonce).catch(ignore));
    return send(url, proof ? { ...init, headers: { ...init.headers, DPoP: proof } } : init);
  };

  let response = await attempt();
  const nonce = response.headers.get("DPoP-Nonce");
  if (nonce && response.status === 401) {
    state.nonce = nonce;
    response = await attempt();
  }
  const isLogout = response.ok && ENDS.test(method + url.pathname);
  const isOver = response.ok
    ? url.pathname.endsWith(`/${sid}`)
    : /^refresh_token_(?!m)/.test((await read(response).catch(ignore))?.code);
  if (isLogout || isOver) {
    // Unless another tab has logged in meanwhile.
    const remove = (found, store) => (isLogout || found?.sid === sid) && store.delete("key");
    await inStore(state.name, remove).catch(ignore);
    if (state.sid === sid) state.key = state.sid = undefined;
  } else if (proof && isOpening) {
    await keep(state, key, response).catch(ignore);
  }
  return response;
};
