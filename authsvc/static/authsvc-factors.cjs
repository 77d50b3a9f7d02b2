// Generated from authsvc-factors.js by tests/client/generated.py.
"use strict";

// Second factors, passkeys and reauthentication (RFC 9470) for a client of authsvc.js. It stores
// nothing. authsvc-factors.d.ts describes the API.

const ignore = () => {};
/** @type {any} */
const NONE = {};
// A browser shows one prompt at a time: this ends the one that waits in a form.
let endAutofill = ignore;

// For older browsers, and for some password managers.
function decode(text) {
  const bytes = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}

function encode(buffer) {
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

const parseId = (entity) => ({ ...entity, id: decode(entity.id) });

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

/** @type {typeof import("./authsvc-factors.d.ts").withFactors} */
const withFactors = (auth, { onReauthenticate } = {}) => {
  const { AuthError, inTurn, origins, request } = /** @type {any} */ (auth.internal);
  const { close, fetch: authFetch } = auth;
  /** @type {any} */
  let asking;
  let asked;
  let isOpen = false;

  /** Use a passkey, or create one. */
  async function prompt(options, given) {
    try {
      const { PublicKeyCredential, navigator } = globalThis;
      const [method, kind] = options.user ? ["create", "Creation"] : ["get", "Request"];
      const publicKey =
        PublicKeyCredential[`parse${kind}OptionsFromJSON`]?.(options) ?? parse(options);
      const credential = await navigator.credentials[method]({ ...given, publicKey });
      try {
        return credential.toJSON();
      } catch {
        return toJSON(credential);
      }
    } catch (/** @type {any} */ cause) {
      given.signal?.throwIfAborted();
      const [code, message] = {
        NotAllowedError: ["cancelled", "The prompt was closed or timed out."],
        InvalidStateError: ["passkey_exists", "This device has a passkey of the account."],
      }[cause.name] ?? ["passkey_failed", "The browser cannot use a passkey."];
      throw new AuthError(code, 0, message, 0, [], cause);
    }
  }

  const getOptions = (signal) => request(fetch, "POST auth/passkey/options", { body: {}, signal });

  async function usePasskey({ signal }) {
    endAutofill();
    return prompt(await getOptions(signal), { signal });
  }

  /** Wait in a form, until a login or another prompt ends it. */
  async function autofill({ signal }) {
    signal?.throwIfAborted();
    let round = new AbortController();
    let isOver = false;
    let timer;
    const end = () => {
      isOver = true;
      clearInterval(timer);
      remove();
      round.abort();
    };
    const remove = auth.onChange((user) => user && end());
    signal?.addEventListener("abort", end);
    endAutofill();
    endAutofill = end;
    try {
      if (!(await globalThis.PublicKeyCredential?.isConditionalMediationAvailable?.())) return;
      let options = await getOptions(round.signal);
      // A challenge expires.
      const renew = async () => {
        options = await getOptions(round.signal);
        round.abort();
      };
      timer = setInterval(() => renew().catch(ignore), options.timeout / 2);
      while (!isOver) {
        round = new AbortController();
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
  }

  async function askPerson() {
    const { totp, passkeys } = await request(authFetch, "GET api/me/factors", {});
    const methods = [totp.enabled && "totp", passkeys.length && "passkey"].filter(Boolean);
    return (await onReauthenticate?.({ methods: methods[0] ? methods : ["password"] })) !== false;
  }

  const begin = () => isOpen || asking;

  // One prompt for all requests that were sent before its end. It is over when the user changes.
  function ask(begun) {
    const caller = auth.user?.id;
    if (asking !== begun && asked === caller) return asking;
    let remove = ignore;
    asked = caller;
    isOpen = true;
    asking = new Promise((resolve) => {
      remove = auth.onChange((user) => user?.id !== caller && resolve(false));
      askPerson().then(resolve, () => resolve(false));
    }).finally(() => {
      remove();
      isOpen = false;
    });
    return asking;
  }

  const isReauthenticated = async (begun, signal) =>
    onReauthenticate &&
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      signal?.addEventListener("abort", () => reject(signal.reason));
      ask(begun).then(resolve);
    });

  /** Return the function with a second try after a reauthentication. */
  const again =
    (work) =>
    async (...given) => {
      const begun = begin();
      try {
        return await work(...given);
      } catch (/** @type {any} */ error) {
        if (error?.code !== "reauthentication_required") throw error;
        const { signal } = given.find((part) => part?.signal) ?? NONE;
        if (!(await isReauthenticated(begun, signal))) throw error;
        return work(...given);
      }
    };

  const send = again((route, calling, body) => request(authFetch, route, { ...calling, body }));

  const renew = () => auth.refresh().catch(ignore);

  /** @param {any} given */
  async function sendInTurn(route, given, calling) {
    const { passkey, ...body } = given;
    if (passkey) body.passkey = await usePasskey(calling);
    return inTurn(fetch, route, { ...calling, body }).catch((error) => {
      if (error instanceof AuthError) error.methods = error.cause?.methods;
      if (/^refresh_token/.test(error?.code)) renew();
      throw error;
    });
  }

  return Object.assign(auth, {
    login: (email, password, { code, recoveryCode: recovery_code, passkey, ...calling } = NONE) =>
      sendInTurn("POST auth/login", { email, password, code, recovery_code, passkey }, calling),
    async loginWithPasskey({ autofill: isAutofill, ...calling } = NONE) {
      const credential = await (isAutofill ? autofill(calling) : usePasskey(calling));
      return credential ? sendInTurn("POST auth/passkey", { credential }, calling) : null;
    },
    reauthenticate: ({ password, code, passkey, ...calling }) =>
      sendInTurn("POST auth/reauthenticate", { password, code, passkey }, calling),
    changeEmail: again(auth.changeEmail),
    changePassword: again(auth.changePassword),
    deleteAccount: again(auth.deleteAccount),
    async fetch(input, init) {
      const begun = begin();
      const copy = input instanceof Request && !init?.body ? input.clone() : input;
      const response = await authFetch(input, init);
      const { headers, status, url } = response;
      const isSent = origins.some((origin) => url.startsWith(`${origin}/`));
      if (status !== 401 || !isSent) return response;
      const isOwn = new Headers(init?.headers ?? input.headers).has("Authorization");
      if (isOwn || init?.body instanceof ReadableStream) return response;
      const problem = await response.clone().json().catch(ignore);
      // Or of an API of another make.
      const why = `${problem?.code} ${headers.get("WWW-Authenticate")}`;
      const isWanted = /reauthentication_required|insufficient_user_authentication/.test(why);
      if (!isWanted || !(await isReauthenticated(begun, init?.signal ?? input.signal))) return response;
      return authFetch(copy, init);
    },
    close() {
      endAutofill();
      close();
    },
    factors: {
      list: (calling) => send("GET api/me/factors", calling),
      beginTotp: (calling) => send("POST api/me/totp", calling, {}),
      async confirmTotp(code, calling) {
        const { recovery_codes } = await send("PUT api/me/totp", calling, { code });
        await renew(); // an access token with this factor
        return recovery_codes;
      },
      removeTotp: (calling) => send("DELETE api/me/totp", calling),
      replaceRecoveryCodes: async (calling) =>
        (await send("POST api/me/recovery-codes", calling, {})).recovery_codes,
      async addPasskey(name, calling = NONE) {
        endAutofill();
        const options = await send("POST api/me/passkeys/options", calling, {});
        const credential = await prompt(options, calling);
        const added = await send("POST api/me/passkeys", calling, { name, credential });
        await renew();
        return added;
      },
      removePasskey: (id, calling) =>
        send(`DELETE api/me/passkeys/${encodeURIComponent(id)}`, calling),
    },
  });
};

module.exports = { withFactors };
