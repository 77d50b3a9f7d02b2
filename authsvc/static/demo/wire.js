// Watches the requests that the page's client sends: what was asked, and what came back.

/**
 * Wrap `fetch`, and call `seen` after each request with its method, path, answer (a status, or
 * "no answer"), meaning, kind (`good`, `bad`, `calm` or `lost`), and for a new access token the
 * seconds that it lives.
 */
export function watch(seen) {
  const send = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const method = request?.method ?? init?.method ?? "GET";
    const path = new URL(request?.url ?? input, location.href).pathname;
    let response;
    try {
      response = await send(input, init);
    } catch (error) {
      const text = "The session stays: a network fault is not a logout.";
      seen({ method, path, answer: "no answer", text, kind: "lost" });
      throw error;
    }
    const body = await response.clone().json().catch(() => ({}));
    const meaning = response.ok ? good(method, path, response.status, body) : bad(body);
    seen({ method, path, answer: response.status, ...meaning });
    return response;
  };
}

const CALM = {
  refresh_token_missing: "There is no session to restore.",
  use_dpop_nonce: "This computer's clock is wrong: the page asks again by a nonce.",
  second_factor_required: "The password is right. The page asks for the second factor.",
  reauthentication_required: "The page asks the person once more who they are.",
};

function bad({ code, detail }) {
  if (CALM[code]) return { kind: "calm", text: CALM[code] };
  return { kind: "bad", text: code ? `${code}: ${detail}` : "The response is not the service's." };
}

function good(method, path, status, { access_token, expires_in }) {
  if (access_token) {
    const text = `An access token for ${expires_in} s, into memory.`;
    const before = path.endsWith("/password") ? "Every session ends, and a new one opens. " : "";
    return { kind: "good", text: before + text, seconds: expires_in };
  }
  const mailed = "Accepted. A mail is sent if there is a reason to send one.";
  return { kind: "good", text: status === 202 ? mailed : became(method, path) };
}

/** What an answer means, for the first that fits. */
const MEANINGS = [
  [/auth\/logout$/, "The session's row is revoked, the cookie is cleared."],
  [/auth\/register$/, "The account is created. Next, the page logs in."],
  [/passkeys?\/options$/, "A challenge for a passkey. It works once."],
  [/^POST .*\/totp$/, "A secret for the app. It counts after its first code."],
  [/^PUT .*\/totp$/, "The code was right: the app is a second factor."],
  [/recovery-codes$/, "New recovery codes. The database keeps only their hashes."],
  [/^POST .*\/passkeys$/, "The public key of the passkey is stored."],
  [/^DELETE .*\/api\/me$/, "The account is deleted."],
  [/^DELETE .*\/(totp|passkeys)/, "The factor is removed."],
  [/^DELETE /, "Revoked."],
  [/./, "The access token's signature, expiry and session are good."],
];

const became = (method, path) =>
  MEANINGS.find(([pattern]) => pattern.test(`${method} ${path}`))[1];
