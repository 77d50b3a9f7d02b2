// Generated from authsvc-factors.js by tests/client/generated.py.
"use strict";

// Second factors, passkeys (WebAuthn) and reauthentication (RFC 9470), for a client of authsvc.js.
// It stores nothing. authsvc-factors.d.ts describes the API.

/** @import { Auth } from "./authsvc.d.ts" */
/** @import { FactorsAuth, FactorsOptions } from "./authsvc-factors.d.ts" */

const PAUSE = 10_000;
const ignore = () => {};
/** @type {any} */
const NONE = {};
// A browser shows one prompt at a time: this ends the one that waits in a form.
let endAutofill = ignore;

const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=/g, "");

const decode = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (byte) => byte.charCodeAt(0));

const parseId = (entity) => ({ ...entity, id: decode(entity.id) });

// What older browsers cannot do: parse...OptionsFromJSON, and toJSON.
const parse = ({ challenge, user, excludeCredentials, ...options }) => ({
  ...options,
  challenge: decode(challenge),
  user: user && parseId(user),
  excludeCredentials: excludeCredentials?.map(parseId),
});

function toJSON({ id, rawId, type, response }) {
  const encoded = {};
  for (const name in response) {
    if (response[name]?.byteLength) encoded[name] = encode(response[name]);
  }
  return { id, rawId: encode(rawId), type, response: encoded };
}

/**
 * @param {Auth} auth
 * @param {FactorsOptions} [options]
 * @returns {FactorsAuth}
 */
function withFactors(auth, { onReauthenticate } = {}) {
  const { AuthError, inTurn, origins, request } = /** @type {any} */ (auth.internal);
  const { changeEmail, changePassword, deleteAccount, fetch: authFetch, onChange, refresh } = auth;
  /** @type {Promise<boolean> | undefined} */
  let asking;

  /** Get an existing passkey's response, or create a passkey. */
  async function prompt(options, given) {
    try {
      const { PublicKeyCredential, navigator } = globalThis;
      const [method, kind] = options.user ? ["create", "Creation"] : ["get", "Request"];
      const publicKey = PublicKeyCredential[`parse${kind}OptionsFromJSON`]?.(options) ?? parse(options);
      const credential = await navigator.credentials[method]({ ...given, publicKey });
      return credential.toJSON?.() ?? toJSON(credential);
    } catch (/** @type {any} */ cause) {
      given.signal?.throwIfAborted();
      const [code, message] = {
        NotAllowedError: ["cancelled", "The prompt was closed, or its time is over."],
        InvalidStateError: ["passkey_exists", "This device has a passkey of the account already."],
      }[cause.name] ?? ["passkey_failed", "The browser cannot use a passkey here."];
      throw new AuthError(code, 0, message, 0, [], cause);
    }
  }

  const getOptions = (signal) => request(fetch, "POST auth/passkey/options", { body: {}, signal });

  async function usePasskey({ signal }) {
    endAutofill();
    return prompt(await getOptions(signal), { signal });
  }

  /** Wait for a passkey among a form's suggestions; null if a login or another prompt ends it. */
  async function autofill({ signal }) {
    signal?.throwIfAborted();
    let round = new AbortController();
    let isOver = false;
    let timer;
    const end = () => {
      isOver = true;
      clearTimeout(timer);
      remove();
      round.abort();
    };
    const remove = onChange((user) => user && end());
    signal?.addEventListener("abort", end);
    endAutofill();
    endAutofill = end;
    try {
      if (!(await globalThis.PublicKeyCredential?.isConditionalMediationAvailable?.())) return null;
      let options = await getOptions(round.signal);
      // The next challenge takes the place of this one before it expires.
      const renew = async () => {
        const next = await getOptions(round.signal).catch(ignore);
        if (isOver) return;
        if (!next) return (timer = setTimeout(renew, PAUSE));
        options = next;
        round.abort();
      };
      while (!isOver) {
        round = new AbortController();
        timer = setTimeout(renew, options.timeout * 0.75);
        const given = { mediation: "conditional", signal: round.signal };
        const credential = await prompt(options, given).catch((error) => {
          if (!round.signal.aborted) throw error;
        });
        if (credential) return credential;
      }
    } catch (error) {
      if (!isOver) throw error;
    } finally {
      end();
    }
    signal?.throwIfAborted();
    return null;
  }

  async function askPerson() {
    const { totp, passkeys } = await request(authFetch, "GET api/me/factors", {});
    const methods = [totp.enabled && "totp", passkeys.length && "passkey"].filter(Boolean);
    return onReauthenticate?.({ methods: methods.length ? methods : ["password"] });
  }

  // One prompt for all callers that wait; it ends when the user changes.
  function ask() {
    const caller = auth.user?.id;
    asking ??= new Promise((resolve) => {
      const remove = onChange((user) => user?.id !== caller && resolve(false));
      askPerson()
        .then((answer) => resolve(answer !== false), () => resolve(false))
        .finally(remove);
    }).finally(() => (asking = undefined));
    return asking;
  }

  const isReauthenticated = async (signal) =>
    onReauthenticate &&
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      signal?.addEventListener("abort", () => reject(signal.reason));
      ask().then(resolve);
    });

  /** Return the function with a second try, after the person has authenticated again. */
  const again =
    (work) =>
    async (...given) => {
      try {
        return await work(...given);
      } catch (/** @type {any} */ error) {
        if (error?.code !== "reauthentication_required") throw error;
        if (!(await isReauthenticated(given.find((part) => part?.signal)?.signal))) throw error;
        return work(...given);
      }
    };

  const send = again((route, calling, body) => request(authFetch, route, { ...calling, body }));

  /** @param {any} given */
  async function sendInTurn(route, given, calling) {
    const { passkey, ...body } = given;
    if (passkey) body.passkey = await usePasskey(calling);
    return inTurn(fetch, route, { ...calling, body }).catch((error) => {
      if (error instanceof AuthError) error.methods = error.cause?.methods;
      throw error;
    });
  }

  // The new factor counts in the next access token.
  const renew = () => refresh().catch(ignore);

  return Object.assign(auth, {
    login(email, password, { code, recoveryCode, passkey, ...calling } = NONE) {
      const body = { email, password, code, recovery_code: recoveryCode, passkey };
      return sendInTurn("POST auth/login", body, calling);
    },
    async loginWithPasskey({ autofill: isAutofill, ...calling } = NONE) {
      const credential = await (isAutofill ? autofill(calling) : usePasskey(calling));
      return credential && sendInTurn("POST auth/passkey", { credential }, calling);
    },
    reauthenticate: ({ password, code, passkey, ...calling }) =>
      sendInTurn("POST auth/reauthenticate", { password, code, passkey }, calling),
    changeEmail: again(changeEmail),
    changePassword: again(changePassword),
    deleteAccount: again(deleteAccount),
    async fetch(input, init) {
      const copy = input instanceof Request && !init?.body ? input.clone() : input;
      const response = await authFetch(input, init);
      const { headers, status, url } = response;
      const isOwn = new Headers(init?.headers ?? input.headers).has("Authorization");
      if (status !== 401 || isOwn || !origins.includes(new URL(url).origin)) return response;
      if (init?.body instanceof ReadableStream) return response;
      const problem = await response.clone().json().catch(ignore);
      // Or an API of another make (RFC 9470).
      const why = `${problem?.code} ${headers.get("WWW-Authenticate")}`;
      const isWanted = /\b(reauthentication_required|insufficient_user_authentication)\b/.test(why);
      if (!isWanted || !(await isReauthenticated(init?.signal ?? input.signal))) return response;
      return authFetch(copy, init);
    },
    factors: {
      list: (calling) => send("GET api/me/factors", calling),
      beginTotp: (calling) => send("POST api/me/totp", calling, {}),
      async confirmTotp(code, calling) {
        const { recovery_codes } = await send("PUT api/me/totp", calling, { code });
        await renew();
        return recovery_codes;
      },
      removeTotp: (calling) => send("DELETE api/me/totp", calling),
      replaceRecoveryCodes: async (calling) =>
        (await send("POST api/me/recovery-codes", calling, {})).recovery_codes,
      async addPasskey(name, calling) {
        endAutofill();
        const options = await send("POST api/me/passkeys/options", calling, {});
        const credential = await prompt(options, { ...calling });
        const added = await send("POST api/me/passkeys", calling, { name, credential });
        await renew();
        return added;
      },
      removePasskey: (id, calling) =>
        send(`DELETE api/me/passkeys/${encodeURIComponent(id)}`, calling),
    },
  });
}

module.exports = { withFactors };
