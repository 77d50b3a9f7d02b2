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

function bad({ code, detail }) {
  if (code === "refresh_token_missing") {
    return { kind: "calm", text: "There is no session to restore." };
  }
  if (code === "use_dpop_nonce") {
    return { kind: "calm", text: "This computer's clock is wrong: the page asks again by a nonce." };
  }
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

function became(method, path) {
  if (path.endsWith("/auth/logout")) return "The session's row is revoked, the cookie is cleared.";
  if (path.endsWith("/auth/register")) return "The account is created. Next, the page logs in.";
  if (method === "DELETE") return path.endsWith("/api/me") ? "The account is deleted." : "Revoked.";
  return "The access token's signature, expiry and session are good.";
}
