// authsvc in the browser: keeps the access token in memory, renews it before it expires, and sends
// it only to the service and the listed origins.

/** @typedef {{ id: string, email: string, created_at: string }} User */
/**
 * @typedef {{ id: string, created_at: string, expires_at: string, last_used_at: string,
 *   user_agent: string | null, ip_address: string | null, current: boolean }} Session
 */
/** @typedef {{ pointer: string, detail: string }} Fault */
/** @typedef {{ access_token: string, expires_in: number }} Issued */

const TRIES = 4;
const PAUSE = 400;
const LONGEST_PAUSE = 5_000;
const STALE = ["access_token_expired", "access_token_revoked", "access_token_invalid"];

/** An error of the service or of the network: program against its `code`. */
export class AuthError extends Error {
  /**
   * @param {string} code the service's own, or `network_error` (no response), `http_error` (a
   *   response that is not the service's), `session_changed` (the session of the request has
   *   ended, and the request was not sent in the next one)
   * @param {number} status the HTTP status; 0 without a response
   * @param {string} message a sentence for people
   * @param {number} retryAfter seconds to wait before the next try, or 0
   * @param {Fault[]} errors the faults of each member, for `validation_failed`
   * @param {unknown} [cause]
   */
  constructor(code, status, message, retryAfter = 0, errors = [], cause) {
    super(message, { cause });
    this.name = "AuthError";
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.errors = errors;
  }
}

/**
 * @param {number} status
 * @param {unknown} cause
 */
function failure(status, cause, retryAfter = 0) {
  const [code, message] = status
    ? ["http_error", "The response is not the service's."]
    : ["network_error", "The service cannot be reached."];
  return new AuthError(code, status, message, retryAfter, [], cause);
}

/**
 * Return a page's client of the service.
 *
 * @param {object} options
 * @param {string} options.baseUrl the service's URL
 * @param {string[]} [options.origins] other origins that `fetch` sends the access token to
 */
export function createAuth({ baseUrl, origins = [] }) {
  const base = new URL(baseUrl.replace(/\/*$/, "/"), globalThis.location?.href);
  const trusted = new Set([base, ...origins].map((url) => new URL(url).origin));
  const channel = new BroadcastChannel(`authsvc ${base}`);

  let token = "";
  let sid = "";
  /** @type {User | null} */
  let user = null;
  // Times of the monotonic clock, since the date may be wrong. A request renews the token; a timer
  // would keep an unused session alive.
  let renewFrom = 0;
  let useUntil = 0;
  // Whether the page is known to be logged out; false while nothing is known.
  let loggedOut = false;
  // Counts logins and logouts: a response to an older request is dropped.
  let epoch = 0;
  /** @type {Promise<void> | undefined} */
  let renewing;
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  /** @type {Set<(user: User | null) => void>} */
  const listeners = new Set();

  /** @param {User | null} next */
  function setUser(next) {
    const changed = user?.id !== next?.id;
    user = next;
    if (changed) for (const listener of listeners) queueMicrotask(() => listener(next));
  }

  /** @param {boolean} isLogout */
  function change(isLogout) {
    epoch += 1;
    renewFrom = useUntil = 0;
    loggedOut = isLogout;
    if (!loggedOut) return;
    token = sid = "";
    setUser(null);
  }

  /** @param {boolean} isLogout */
  function broadcast(isLogout) {
    change(isLogout);
    channel.postMessage(isLogout ? "logout" : "login");
  }

  /**
   * @param {typeof fetch} send
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {Record<string, string>} [headers]
   * @returns {Promise<any>}
   */
  async function call(send, method, path, body, headers = {}) {
    let status = 0;
    let retryAfter = 0;
    let data;
    try {
      const response = await send(new URL(path, base), {
        method,
        credentials: "include",
        redirect: "error",
        headers: body ? { ...headers, "Content-Type": "application/json" } : headers,
        body: body && JSON.stringify(body),
      });
      status = response.status;
      retryAfter = Number(response.headers.get("Retry-After")) || 0;
      const text = await response.text();
      data = text && JSON.parse(text);
      if (response.ok) return data;
    } catch (cause) {
      if (cause instanceof AuthError) throw cause;
      throw failure(status, cause, retryAfter);
    }
    throw new AuthError(data?.code ?? "http_error", status, data?.detail, retryAfter, data?.errors);
  }

  /**
   * Send logins and refreshes one after another.
   *
   * @param {() => Promise<void>} work
   */
  function inTurn(work) {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  }

  function renew() {
    renewing ??= inTurn(resume).finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  /**
   * Get an access token and its user; retry if a response is lost or not clear.
   *
   * @param {Issued} [issued] the response to a login just now
   */
  async function resume(issued) {
    const sentAt = performance.now();
    for (let tries = 1; issued || performance.now() >= renewFrom; tries += 1) {
      const started = epoch;
      try {
        /** @type {Issued} */
        const answer = issued ?? (await call(fetch, "POST", "auth/refresh"));
        const { access_token, expires_in } = answer;
        const payload = access_token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
        const claims = JSON.parse(atob(payload));
        issued = answer;
        const owner =
          started !== epoch || claims.sub === user?.id
            ? user
            : await call(fetch, "GET", "api/me", undefined, {
                Authorization: `Bearer ${access_token}`,
              });
        if (started === epoch) {
          token = access_token;
          sid = claims.sid;
          renewFrom = sentAt + expires_in * (750 + 150 * Math.random());
          useUntil = sentAt + expires_in * 950;
          loggedOut = false;
          return setUser(owner);
        }
        issued = undefined;
      } catch (thrown) {
        const error = thrown instanceof AuthError ? thrown : failure(200, thrown);
        if (started !== epoch) {
          issued = undefined;
          continue;
        }
        if (error.status === 401 && error.code.startsWith("refresh_token_")) {
          change(true);
          throw error;
        }
        const pause = PAUSE * 2 ** tries * (0.5 + Math.random() / 2);
        const wait = Math.max(error.retryAfter * 1_000, pause);
        const temporary = error.status < 400 || error.status === 429 || error.status >= 500;
        if (!temporary || tries === TRIES || wait > LONGEST_PAUSE) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  /**
   * @param {Promise<void>} promise
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  function unlessAborted(promise, signal) {
    return new Promise((resolve, reject) => {
      promise.then(resolve, reject);
      signal.throwIfAborted();
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }

  /** @type {typeof fetch} */
  async function authFetch(input, init) {
    const request = new Request(input, init);
    if (!trusted.has(new URL(request.url).origin)) return fetch(request);
    const body = init?.body;
    const copy = body ? undefined : request.clone();
    const caller = user?.id;

    /** @param {Request} sendable */
    const send = (sendable) => {
      if (caller && caller !== user?.id) {
        throw new AuthError("session_changed", 0, "The session of this request has ended.");
      }
      if (token) sendable.headers.set("Authorization", `Bearer ${token}`);
      return fetch(sendable);
    };

    const now = performance.now();
    if (!loggedOut && now >= renewFrom) {
      const renewed = renew();
      if (now < useUntil) renewed.catch(() => {});
      else {
        await unlessAborted(renewed, request.signal).catch((error) => {
          if (caller || !loggedOut) throw error;
        });
      }
    }
    const sent = token;
    const response = await send(request);
    if (response.status !== 401 || !sent) return response;
    const problem = await response.clone().json().catch(() => null);
    if (!STALE.includes(problem?.code)) return response;
    if (sent === token) renewFrom = useUntil = 0;
    if (body instanceof ReadableStream) return response;
    if (!loggedOut) await unlessAborted(renew(), request.signal);
    return send(copy ?? new Request(input, init));
  }

  channel.onmessage = ({ data }) => {
    change(data === "logout");
    if (!loggedOut) renew().catch(() => {});
  };
  // In Node an open channel keeps the process alive.
  /** @type {any} */ (channel).unref?.();

  return {
    /** The user who is logged in, as far as this page knows. */
    get user() {
      return user;
    },

    /**
     * Restore the session after the page has loaded. Resolves to null if there is none.
     *
     * @returns {Promise<User | null>}
     */
    async restore() {
      await renew().catch((error) => {
        if (!loggedOut) throw error;
      });
      return user;
    },

    /**
     * Create an account; this does not log in.
     *
     * @param {string} email
     * @param {string} password
     * @returns {Promise<User>}
     */
    register: (email, password) => call(fetch, "POST", "auth/register", { email, password }),

    /**
     * @param {string} email
     * @param {string} password
     * @returns {Promise<User>}
     */
    async login(email, password) {
      await inTurn(async () => {
        const issued = await call(fetch, "POST", "auth/login", { email, password });
        broadcast(false);
        await resume(issued);
      });
      return /** @type {any} */ (user);
    },

    /** End this session. If it rejects, the session is still open. */
    async logout() {
      await call(fetch, "POST", "auth/logout");
      broadcast(true);
    },

    /** End every session of the account, this one too. */
    async logoutEverywhere() {
      await call(authFetch, "DELETE", "api/me/sessions");
      broadcast(true);
    },

    /**
     * Change the password; every session of the account ends, and a new one opens here.
     *
     * @param {string} current_password
     * @param {string} new_password
     */
    async changePassword(current_password, new_password) {
      const passwords = { current_password, new_password };
      const issued = await call(authFetch, "PUT", "api/me/password", passwords);
      broadcast(false);
      await resume(issued);
    },

    /**
     * Delete the account and all its data for good.
     *
     * @param {string} password
     */
    async deleteAccount(password) {
      await call(authFetch, "DELETE", "api/me", { password });
      broadcast(true);
    },

    sessions: {
      /**
       * List the account's live sessions, newest first.
       *
       * @returns {Promise<Session[]>}
       */
      list: async () => (await call(authFetch, "GET", "api/me/sessions")).sessions,

      /** @param {string} id */
      async revoke(id) {
        await call(authFetch, "DELETE", `api/me/sessions/${id}`);
        if (id === sid) broadcast(true);
      },
    },

    /**
     * `fetch` with the access token for the service and the listed origins; requests to other
     * origins are not changed. Rejects with an AuthError if the token was stale and could not be
     * renewed. A body that is a stream cannot be sent twice: then the response is the 401.
     */
    fetch: authFetch,

    /**
     * Call a function whenever the user changes; null means logged out.
     *
     * @param {(user: User | null) => void} listener
     * @returns {() => void} removes the listener
     */
    onChange(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
