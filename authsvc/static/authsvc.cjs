// Generated from authsvc.js by tests/client/generated.py.
"use strict";

// authsvc in the browser: keeps the access token in memory, renews it before it expires, and sends
// it only to the service and the listed origins. authsvc.d.ts describes the API.

/** @import { Auth, AuthErrorCode, Calling, Fault, Options, User } from "./authsvc.d.ts" */
/** @typedef {{ access_token: string, expires_in: number }} Issued */

const TRIES = 4;
const PAUSE = 400;
const ignore = () => {};

/**
 * What the clients of one service share, by its URL.
 *
 * @type {Map<string, (options: Options) => Auth>}
 */
const services = new Map();

class AuthError extends Error {
  /**
   * @param {AuthErrorCode} code
   * @param {number} status
   * @param {string} message
   * @param {number} retryAfter
   * @param {Fault[]} errors
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
 * @param {unknown} [cause]
 */
function failure(status, cause, retryAfter = 0) {
  return status
    ? new AuthError("http_error", status, "The response is not the service's.", retryAfter, [], cause)
    : new AuthError("network_error", 0, "The service cannot be reached.", retryAfter, [], cause);
}

/**
 * Wait for work until the caller aborts or the time is up; 0 means that there is no limit.
 *
 * @template T
 * @param {number} milliseconds
 * @param {AbortSignal | undefined} signal
 * @param {(signal: AbortSignal) => Promise<T>} work
 * @returns {Promise<T>}
 */
function within(milliseconds, signal, work) {
  const abort = new AbortController();
  /** @type {() => void} */
  let stop;
  /** @type {any} */
  let timer;
  return new Promise((resolve, reject) => {
    stop = () => {
      const reason = signal?.aborted ? signal.reason : failure(0);
      reject(reason);
      abort.abort(reason);
    };
    signal?.throwIfAborted();
    signal?.addEventListener("abort", stop);
    if (milliseconds) timer = setTimeout(stop, milliseconds);
    work(abort.signal).then(resolve, reject);
  }).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  });
}

const sessionChanged = () =>
  new AuthError("session_changed", 0, "The session of this request has ended.");

/** @param {AuthError} error */
const isBusy = ({ status, retryAfter }) => status === 503 && retryAfter > 0;

/** @param {AuthError} error */
const isTemporary = ({ status }) => status < 400 || status === 429 || status >= 500;

/** @param {Options} options */
function createAuth(options) {
  const { baseUrl } = options;
  const { document, location } = globalThis;
  // The URL of a blob worker has its origin after the scheme.
  const page = (document?.baseURI ?? location?.href ?? "http://server.invalid/").replace("blob:", "");
  const base = new URL(baseUrl.replace(/\/*$/, "/"), page);
  if (!/^https?:/.test(base.href) || /^[\w.-]+:\d/.test(baseUrl)) {
    throw new TypeError(`baseUrl ${baseUrl} needs a scheme: http:// or https://`);
  }
  return (services.get(base.href) ?? connect(base))(options);
}

/**
 * Return a function that makes clients, which share their state.
 *
 * @param {URL} base
 * @returns {(options: Options) => Auth}
 */
function connect(base) {
  const { location } = globalThis;
  // A server that renders pages has no session; React Native has no location.
  const isPage = Boolean(location ?? globalThis.window);
  const isLocal = /^(localhost|127\.|\[)/.test(base.hostname);
  const isElsewhere =
    base.hostname !== location?.hostname && (isLocal || /^(localhost|[\d.]+)$/.test(location?.hostname));
  const name = `authsvc ${base}`;
  let timeout = 10_000;
  let clients = 0;

  let token = "";
  let sid = "";
  /** @type {User | null} */
  let user = null;
  /** @type {Auth["status"]} */
  let status = "unknown";
  // Times of the monotonic clock, since the date may be wrong. A request renews the token; a timer
  // would keep an unused session alive.
  let renewFrom = 0;
  let useUntil = 0;
  // The same by the date, since the monotonic clock may stop while the computer sleeps.
  let dateUntil = 0;
  // Whether there is no reason to ask the service for a session.
  let loggedOut = false;
  let asked = false;
  // Whether the cookie of a login has not been seen to work yet.
  let isNew = false;
  // Origins that refused the last token, and those that refused its predecessor too: a new token
  // does not help there.
  let refusing = new Set();
  let deaf = new Set();
  // Counts logins and logouts: a response to an older request is dropped.
  let epoch = 0;
  /** @type {Promise<void> | undefined} */
  let renewing;
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  /** @type {Set<(user: User | null) => void>} */
  const listeners = new Set();
  /** @type {(user: User | null) => void} */
  let setReady = ignore;
  /** @type {Promise<User | null>} */
  const ready = isPage ? new Promise((resolve) => (setReady = resolve)) : Promise.resolve(null);

  /** @param {User | null} next */
  function setUser(next) {
    const before = status;
    status = next ? "in" : "out";
    if (status === before && JSON.stringify(user) === JSON.stringify(next)) return;
    user = next;
    setReady(next);
    for (const listener of listeners) queueMicrotask(() => listeners.has(listener) && listener(next));
  }

  function expire() {
    renewFrom = useUntil = 0;
  }

  /** @param {boolean} isLogout */
  function change(isLogout) {
    epoch += 1;
    expire();
    loggedOut = isLogout;
    isNew = false;
    if (!loggedOut) return;
    token = sid = "";
    setUser(null);
  }

  /** @param {boolean} isLogout */
  function broadcast(isLogout) {
    change(isLogout);
    channel?.postMessage(isLogout ? "logout" : "login");
  }

  /** @param {boolean} isLogout */
  function follow(isLogout) {
    change(isLogout);
    if (!loggedOut) renew().catch(ignore);
  }

  /**
   * @param {typeof fetch} send
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {AbortSignal} [signal]
   * @param {Record<string, string>} [headers]
   * @returns {Promise<any>}
   */
  async function call(send, method, path, body, signal, headers) {
    let status = 0;
    let retryAfter = 0;
    try {
      return await within(timeout, signal, async (signal) => {
        const response = await send(new URL(path, base), {
          method,
          credentials: "include",
          redirect: "error",
          headers: body ? { ...headers, "Content-Type": "application/json" } : headers,
          body: body && JSON.stringify(body),
          signal,
        });
        status = response.status;
        const after = response.headers.get("Retry-After") ?? "";
        retryAfter = Number(after) || Math.max(0, (Date.parse(after) - Date.now()) / 1_000) || 0;
        const text = await response.text();
        const data = text && JSON.parse(text);
        if (response.ok) return data;
        const code = data?.code ?? "http_error";
        throw new AuthError(code, status, data?.detail, retryAfter, data?.errors);
      });
    } catch (cause) {
      if (cause instanceof AuthError || signal?.aborted) throw cause;
      throw failure(status, cause, retryAfter);
    }
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @param {(error: AuthError) => boolean} canPass
   * @param {AbortSignal} [signal]
   */
  async function retry(work, canPass, signal) {
    const start = performance.now();
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof AuthError && canPass(error)) || tries === TRIES) throw error;
        const pause = PAUSE * 2 ** tries * (0.5 + Math.random() / 2);
        const wait = Math.max(error.retryAfter * 1_000, pause);
        if (performance.now() - start + wait > timeout) throw error;
        await within(0, signal, () => new Promise((resolve) => setTimeout(resolve, wait)));
      }
    }
  }

  /**
   * @param {typeof fetch} send
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {AbortSignal} [signal]
   */
  const request = (send, method, path, body, signal) =>
    retry(() => call(send, method, path, body, signal), isBusy, signal);

  /**
   * Send a request that opens a session or ends it. They take turns, in this page and, if the
   * browser has Web Locks, in all of its tabs; no lock is waited for longer than the timeout.
   *
   * @param {typeof fetch} send
   * @param {string} method
   * @param {string} path
   * @param {object | undefined} body
   * @param {Calling} [calling]
   * @returns {Promise<any>}
   */
  function inTurn(send, method, path, body, { signal } = {}) {
    const caller = user?.id;
    const work = async () => {
      signal?.throwIfAborted();
      if (send === turnFetch && caller && caller !== user?.id) throw sessionChanged();
      const issued = await request(send, method, path, body, signal);
      broadcast(!issued);
      if (!issued) return;
      isNew = true;
      if (location?.protocol === "http:" && (isElsewhere || !isLocal)) refresh().catch(ignore);
      await resume(issued);
      return user;
    };
    const done = last.then(
      () =>
        new Promise((resolve, reject) => {
          /** @type {Promise<void>} */
          let begun;
          const begin = () => {
            clearTimeout(timer);
            return (begun ??= work().then(resolve, reject));
          };
          const timer = setTimeout(begin, timeout);
          (async () => navigator.locks.request(name, begin))().catch(begin);
        }),
    );
    last = done.catch((error) => {
      // Without a clear answer, the cookie may be another one.
      if (!(error?.status >= 400 && error.status < 500)) expire();
    });
    return within(0, signal, () => done);
  }

  async function refresh() {
    try {
      const issued = await call(fetch, "POST", "auth/refresh");
      isNew = false;
      return issued;
    } catch (error) {
      const { code } = /** @type {AuthError} */ (error);
      if (isNew && code === "refresh_token_missing" && location?.protocol === "http:") {
        isNew = false;
        const cause = isElsewhere
          ? `${location.hostname} and ${base.hostname} are two sites: use one host name.`
          : "Over http it may refuse a Secure cookie: use https, or AUTHSVC_COOKIE_SECURE=false.";
        console.warn(`authsvc: the browser did not keep the login's cookie. ${cause}`);
      }
      throw error;
    }
  }

  function renew() {
    asked = true;
    renewing ??= last
      .then(() => (isPage ? resume(undefined, true) : undefined))
      .finally(() => {
        renewing = undefined;
      });
    return renewing;
  }

  /**
   * Get an access token and its user; retry if a response is lost or not clear.
   *
   * @param {Issued} [issued] the response to a login just now
   * @param {boolean} [waits] whether to wait for the turns of others before giving up
   */
  function resume(issued, waits) {
    const sentAt = performance.now();
    let isSure = false;
    return retry(async () => {
      while (issued || performance.now() >= renewFrom) {
        const started = epoch;
        try {
          /** @type {Issued} */
          const answer = issued ?? (await refresh());
          const { access_token, expires_in } = answer;
          const payload = access_token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
          const claims = JSON.parse(atob(payload));
          issued = answer;
          const headers = { Authorization: `Bearer ${access_token}` };
          const owner =
            started === epoch &&
            (await call(fetch, "GET", "api/me", undefined, undefined, headers).catch((error) => {
              if (claims.sub !== user?.id) throw error;
              return user;
            }));
          if (started === epoch) {
            token = access_token;
            sid = claims.sid;
            renewFrom = sentAt + expires_in * (750 + 150 * Math.random());
            useUntil = sentAt + expires_in * 950;
            dateUntil = Date.now() + expires_in * 950;
            deaf = refusing;
            refusing = new Set();
            loggedOut = false;
            return setUser(owner);
          }
          issued = undefined;
        } catch (thrown) {
          const error = thrown instanceof AuthError ? thrown : failure(200, thrown);
          if (started !== epoch) {
            issued = undefined;
          } else if (!/^refresh_token_/.test(error.code)) {
            throw error;
          } else if (isSure || (!user && error.code === "refresh_token_missing")) {
            change(true);
            throw error;
          } else {
            // Another tab may have logged in since the refresh was sent: ask once more.
            isSure = true;
            if (waits) await last;
          }
        }
      }
    }, isTemporary);
  }

  /**
   * @param {Calling} [calling]
   * @param {boolean} [again] whether a refresh that is under way is not enough
   */
  async function ask({ signal } = {}, again) {
    await within(0, signal, async () => {
      if (again) await renewing?.catch(ignore);
      renewFrom = 0;
      await renew();
    }).catch((error) => {
      if (!loggedOut || signal?.aborted) throw error;
    });
    return user;
  }

  /**
   * Wait for a token that can be used for a while, or for the knowledge that there is none.
   *
   * @param {AbortSignal} [signal]
   */
  async function refreshIfOld(signal, renewNow = renew) {
    const now = performance.now();
    if (loggedOut || now < renewFrom) return;
    if (now < useUntil) renewNow().catch(ignore);
    else await within(0, signal, renewNow);
  }

  /**
   * @param {Set<string>} trusted
   * @param {() => Promise<void>} [renewNow]
   * @returns {typeof fetch}
   */
  const fetchFor = (trusted, renewNow) => async (input, init) => {
    const request = new Request(input, init);
    const { origin } = new URL(request.url);
    if (!trusted.has(origin) || request.headers.has("Authorization")) return fetch(request);
    const body = init?.body;
    const copy = body ? undefined : request.clone();
    const caller = user?.id;

    /** @param {Request} sendable */
    const send = (sendable) => {
      if (caller && caller !== user?.id) throw sessionChanged();
      if (token) sendable.headers.set("Authorization", `Bearer ${token}`);
      return fetch(sendable);
    };

    await refreshIfOld(request.signal, renewNow).catch((error) => {
      if (caller || !loggedOut) throw error;
    });
    const sent = token;
    const response = await send(request);
    if (response.status !== 401 || !sent) return response;
    const problem = await response.clone().json().catch(ignore);
    if (!/^access_token_(expired|invalid|revoked)$/.test(problem?.code)) {
      // An API in another language: a new token helps once, unless the date says more.
      if (!/\binvalid_token\b/.test(response.headers.get("WWW-Authenticate") ?? "")) return response;
      if (sent === token) {
        if (deaf.has(origin) && Date.now() < dateUntil) return response;
        refusing.add(origin);
      }
    }
    if (sent === token) expire();
    if (body instanceof ReadableStream) return response;
    await refreshIfOld(request.signal, renewNow);
    return send(copy ?? new Request(input, init));
  };

  const turnFetch = fetchFor(new Set([base.origin]), () => resume());

  /** @type {BroadcastChannel | undefined} */
  let channel;

  /** @param {any} event */
  function wake({ type, persisted }) {
    if (Date.now() >= dateUntil) expire();
    if (!asked) return;
    if (persisted) follow(false);
    else if (type === "online" && status === "unknown") renew().catch(ignore);
  }

  const EVENTS = ["visibilitychange", "focus", "online", "pageshow"];

  function start() {
    services.set(base.href, open);
    for (const type of EVENTS) globalThis.addEventListener?.(type, wake);
    try {
      channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => follow(data === "logout");
      // In Node an open channel keeps the process alive.
      /** @type {any} */ (channel).unref?.();
    } catch {
      // The browser has none, or refuses it together with cookies.
    }
  }

  function stop() {
    services.delete(base.href);
    for (const type of EVENTS) globalThis.removeEventListener?.(type, wake);
    channel?.close();
    channel = undefined;
    change(true);
  }

  /**
   * @param {Options} options
   * @returns {Auth}
   */
  function open({ origins = [], timeout: limit = timeout }) {
    const authFetch = fetchFor(new Set([base, ...origins].map((url) => new URL(url).origin)));
    timeout = limit;
    if (isPage && !clients) start();
    clients += 1;
    /** @type {Set<() => void> | undefined} */
    let removers = new Set();

    return {
      get user() {
        return user;
      },
      get status() {
        return status;
      },
      ready,
      restore: (calling) => ask(calling),
      refresh: (calling) => ask(calling, true),
      async token({ signal } = {}) {
        await refreshIfOld(signal).catch((error) => {
          if (!loggedOut || signal?.aborted) throw error;
        });
        return token || null;
      },
      register: (email, password, { signal } = {}) =>
        request(fetch, "POST", "auth/register", { email, password }, signal),
      login: (email, password, calling) =>
        inTurn(fetch, "POST", "auth/login", { email, password }, calling),
      logout: (calling) => inTurn(fetch, "POST", "auth/logout", undefined, calling),
      logoutEverywhere: (calling) =>
        inTurn(turnFetch, "DELETE", "api/me/sessions", undefined, calling),
      async changePassword(current_password, new_password, calling) {
        await inTurn(turnFetch, "PUT", "api/me/password", { current_password, new_password }, calling);
      },
      deleteAccount: (password, calling) =>
        inTurn(turnFetch, "DELETE", "api/me", { password }, calling),
      sessions: {
        list: async ({ signal } = {}) =>
          (await request(authFetch, "GET", "api/me/sessions", undefined, signal)).sessions,
        async revoke(id, { signal } = {}) {
          await request(authFetch, "DELETE", `api/me/sessions/${id}`, undefined, signal);
          if (id === sid) broadcast(true);
        },
      },
      fetch: authFetch,
      onChange(listener) {
        /** @param {User | null} next */
        const tell = (next) => listener(next);
        const remove = () => {
          listeners.delete(tell);
          removers?.delete(remove);
        };
        listeners.add(tell);
        removers?.add(remove);
        return remove;
      },
      close() {
        removers?.forEach((remove) => remove());
        if (removers && !(clients -= 1)) stop();
        removers = undefined;
      },
    };
  }
  return open;
}

module.exports = { AuthError, createAuth };
