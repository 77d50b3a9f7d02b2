// authsvc in the browser: the access token stays in memory, is renewed in time, and goes only
// where it may.

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

/** What went wrong: `code` is the word to program against. */
export class AuthError extends Error {
  /**
   * @param {string} code the service's own; or `network_error` (no answer), `http_error` (an
   *   answer that is not the service's), `session_changed` (the request was made in a session
   *   that is over, and was not sent again in the next one)
   * @param {number} status the HTTP status; 0 without an answer
   * @param {string} message a sentence for people
   * @param {number} retryAfter seconds to wait before the next try, or 0
   * @param {Fault[]} errors what is wrong with which member, for `validation_failed`
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
    ? ["http_error", "The answer is not the service's."]
    : ["network_error", "The service cannot be reached."];
  return new AuthError(code, status, message, retryAfter, [], cause);
}

/**
 * A page's way to the service.
 *
 * @param {object} options
 * @param {string} options.baseUrl where the service is
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
  // By the monotonic clock: the date may be wrong. Renewal waits for use: a timer would keep an unused
  // session alive.
  let renewFrom = 0;
  let useUntil = 0;
  // Known to be logged out. At first nothing is known.
  let over = false;
  // Counts logins and logouts: an answer that they overtook is dropped.
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

  /** @param {boolean} loggedOut */
  function turn(loggedOut) {
    epoch += 1;
    renewFrom = useUntil = 0;
    over = loggedOut;
    if (!over) return;
    token = sid = "";
    setUser(null);
  }

  /** @param {boolean} loggedOut */
  function turnAndTell(loggedOut) {
    turn(loggedOut);
    channel.postMessage(loggedOut ? "logout" : "login");
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
   * Logins and refreshes go one after another: the answer to a refresh that was sent before a
   * login would clear the login's cookie.
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
   * Get an access token and whose it is; an unclear answer is asked for again.
   *
   * @param {Issued} [issued] by a login a moment ago
   */
  async function resume(issued) {
    const asked = performance.now();
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
          renewFrom = asked + expires_in * (750 + 150 * Math.random());
          useUntil = asked + expires_in * 950;
          over = false;
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
          turn(true);
          throw error;
        }
        const pause = PAUSE * 2 ** tries * (0.5 + Math.random() / 2);
        const wait = Math.max(error.retryAfter * 1_000, pause);
        const passing = error.status < 400 || error.status === 429 || error.status >= 500;
        if (!passing || tries === TRIES || wait > LONGEST_PAUSE) throw error;
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
        throw new AuthError("session_changed", 0, "The session of this request is over.");
      }
      if (token) sendable.headers.set("Authorization", `Bearer ${token}`);
      return fetch(sendable);
    };

    const now = performance.now();
    if (!over && now >= renewFrom) {
      const renewed = renew();
      if (now < useUntil) renewed.catch(() => {});
      else {
        await unlessAborted(renewed, request.signal).catch((error) => {
          if (caller || !over) throw error;
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
    if (!over) await unlessAborted(renew(), request.signal);
    return send(copy ?? new Request(input, init));
  }

  channel.onmessage = ({ data }) => {
    turn(data === "logout");
    if (!over) renew().catch(() => {});
  };
  // In Node a channel would keep the process alive.
  /** @type {any} */ (channel).unref?.();

  return {
    /** Who is logged in, as far as this page knows. */
    get user() {
      return user;
    },

    /**
     * Take up the session again when the page has loaded. Resolves to null where there is none.
     *
     * @returns {Promise<User | null>}
     */
    async restore() {
      await renew().catch((error) => {
        if (!over) throw error;
      });
      return user;
    },

    /**
     * Make an account; it is not logged in by that.
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
        turnAndTell(false);
        await resume(issued);
      });
      return /** @type {any} */ (user);
    },

    /** End this session. If it rejects, the session is still there. */
    async logout() {
      await call(fetch, "POST", "auth/logout");
      turnAndTell(true);
    },

    /** End every session of the account, this one too. */
    async logoutEverywhere() {
      await call(authFetch, "DELETE", "api/me/sessions");
      turnAndTell(true);
    },

    /**
     * Every other session of the account ends.
     *
     * @param {string} current_password
     * @param {string} new_password
     * @returns {Promise<void>}
     */
    changePassword: (current_password, new_password) =>
      call(authFetch, "PUT", "api/me/password", { current_password, new_password }),

    /**
     * The account and all that belongs to it is gone for good.
     *
     * @param {string} password
     */
    async deleteAccount(password) {
      await call(authFetch, "DELETE", "api/me", { password });
      turnAndTell(true);
    },

    sessions: {
      /**
       * Where the account is logged in, newest first.
       *
       * @returns {Promise<Session[]>}
       */
      list: async () => (await call(authFetch, "GET", "api/me/sessions")).sessions,

      /** @param {string} id */
      async revoke(id) {
        await call(authFetch, "DELETE", `api/me/sessions/${id}`);
        if (id === sid) turnAndTell(true);
      },
    },

    /**
     * `fetch`, with the access token for the service and the listed origins; other origins get
     * the request as it is. Rejects with an AuthError if the token was stale and could not be
     * renewed. A body that is a stream cannot be sent twice: then the 401 is the answer.
     */
    fetch: authFetch,

    /**
     * Be told whenever somebody else, or nobody, is logged in.
     *
     * @param {(user: User | null) => void} listener
     * @returns {() => void} ends it
     */
    onChange(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
