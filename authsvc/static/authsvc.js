// Keeps the access token in memory, renews it before it expires, and sends it only to the service
// and the listed origins. authsvc.d.ts describes the API.

/** @import { Auth, Options, User } from "./authsvc.d.ts" */

const TRIES = 4;
const PAUSE = 400;
const EVENTS = ["visibilitychange", "focus", "online", "pageshow"];
const ignore = () => {};
// For each service's URL, a function that makes clients: they share their state.
const services = new Map();

export class AuthError extends Error {
  constructor(code, status, message, retryAfter = 0, errors = [], cause) {
    super(message, { cause });
    this.name = "AuthError";
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.errors = errors;
  }
}

function failure(status, cause, retryAfter) {
  return status
    ? new AuthError("http_error", status, "The response is not the service's.", retryAfter, [], cause)
    : new AuthError("network_error", 0, "The service cannot be reached.", 0, [], cause);
}

const sessionChanged = () =>
  new AuthError("session_changed", 0, "The session of this request has ended.");

const isTemporary = ({ status }) => status < 400 || status === 429 || status >= 500;
const isBusy = ({ status, retryAfter }) => status === 503 && retryAfter > 0;

/**
 * Wait for work until the caller aborts or the time is up. 0 ms means no limit.
 *
 * @returns {Promise<any>}
 */
function within(milliseconds, signal, work) {
  const abort = new AbortController();
  let stop;
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

// A relative URL follows the page's <base>, but never to another origin.
function resolve(url) {
  const { location, origin } = globalThis;
  const page = /^(about|blob):/.test(location?.href) ? origin : location?.href;
  const byPage = new URL(url, page ?? "http://server.invalid");
  try {
    const byBase = new URL(new Request(url).url);
    if (byBase.origin === byPage.origin) return byBase;
  } catch {
    // A worker made from a blob, or a server.
  }
  return byPage;
}

/** Take the token of a mail's link out of the page's address. */
export function takeToken() {
  const { history, location } = globalThis;
  const token = new URLSearchParams(location?.hash?.slice(1)).get("token");
  if (token) history.replaceState(history.state, "", location.href.split("#")[0]);
  return token;
}

/** @param {Options} options */
export function createAuth(options) {
  const { baseUrl } = options;
  const base = resolve(baseUrl.replace(/\/*$/, "/"));
  if (!/^https?:/.test(base.href) || /^[\w.-]+:\d/.test(baseUrl)) {
    throw new TypeError(`baseUrl ${baseUrl} needs a scheme: http:// or https://`);
  }
  return (services.get(base.href) ?? connect(base))(options);
}

/** @param {URL} base */
function connect(base) {
  const { location, navigator } = globalThis;
  // A server, unlike React Native, has no sessions.
  const isPage = Boolean(location) || navigator?.product === "ReactNative";
  const isLocal = /^(localhost|127\.|\[)/.test(base.hostname);
  const isElsewhere =
    base.hostname !== location?.hostname &&
    (isLocal || /^(localhost|[\d.]+)$/.test(location?.hostname));
  const name = `authsvc ${base}`;
  const listeners = new Set();
  let channel;
  let clients = 0;
  let timeout = 10_000;
  /** @type {any} */
  let bind = false;
  // For authsvc-binding.js.
  const key = { name, sid: null };

  let token = "";
  let sid = "";
  /** @type {User | null} */
  let user = null;
  /** @type {Auth["status"]} */
  let status = "unknown";
  /** @type {any} */
  let setReady = ignore;
  const ready = new Promise((resolve) => (isPage ? (setReady = resolve) : resolve(null)));
  // Monotonic times, since the date may be wrong. A timer would keep an unused session alive.
  let renewFrom = 0;
  let useUntil = 0;
  // By the date, since that clock may stop in sleep.
  let dateUntil = 0;
  // Whether there is no reason to ask.
  let loggedOut = false;
  let asked = false;
  // Whether the cookie of a login is still to be sent.
  let isNew = false;
  // Origins that refused this token, and the one before.
  let refusing = new Set();
  let deaf = new Set();
  // Counts logins and logouts: a response to an older request is dropped.
  let epoch = 0;
  let renewing;
  let lastTurn = Promise.resolve();

  function setUser(next) {
    const before = status;
    status = next ? "in" : "out";
    if (status === before && JSON.stringify(user) === JSON.stringify(next)) return;
    user = next;
    for (const listener of listeners) {
      queueMicrotask(() => listeners.has(listener) && listener(next));
    }
    setReady(next);
  }

  function expire() {
    renewFrom = useUntil = 0;
  }

  function change(isLogout) {
    epoch += 1;
    expire();
    loggedOut = isLogout;
    isNew = false;
    if (!loggedOut) return;
    token = sid = "";
    setUser(null);
  }

  function broadcast(isLogout) {
    change(isLogout);
    channel?.postMessage(isLogout ? "logout" : "login");
  }

  function follow(isLogout) {
    change(isLogout);
    if (!loggedOut) renew().catch(ignore);
  }

  /** @param {any} given */
  async function call(send, route, given) {
    const { body, headers, signal } = given;
    const [method, path] = route.split(" ");
    let status = 0;
    let retryAfter = 0;
    try {
      return await within(timeout, signal, async (signal) => {
        const binding = await (bind === true ? import("./authsvc-binding.js").catch(ignore) : bind);
        const sendIt = binding ? binding.withProofs(key, send) : send;
        const response = await sendIt(new URL(path, base), {
          method,
          credentials: "include",
          redirect: "error",
          headers: body ? { "Content-Type": "application/json" } : headers,
          body: body && JSON.stringify(body),
          signal,
        });
        status = response.status;
        const after = response.headers.get("Retry-After");
        retryAfter = Number(after) || Math.max(0, (Date.parse(after) - Date.now()) / 1_000) || 0;
        const text = await response.text();
        const data = status === 204 ? undefined : JSON.parse(text);
        if (response.ok) return data;
        const code = data?.code ?? "http_error";
        // Not without the key's module.
        if (binding === undefined && /^dpop/.test(code)) throw failure(0);
        throw new AuthError(code, status, data?.detail, retryAfter, data?.errors, data);
      });
    } catch (cause) {
      if (cause instanceof AuthError || signal?.aborted) throw cause;
      throw failure(status, cause, retryAfter);
    }
  }

  async function retry(work, mayPass, signal) {
    const start = performance.now();
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof AuthError && mayPass(error)) || tries === TRIES) throw error;
        const pause = PAUSE * 2 ** tries * (0.5 + Math.random() / 2);
        const wait = Math.max(error.retryAfter * 1_000, pause);
        if (performance.now() - start + wait > timeout) throw error;
        await within(0, signal, () => new Promise((resolve) => setTimeout(resolve, wait)));
      }
    }
  }

  const request = (send, route, given) =>
    retry(() => call(send, route, given), isBusy, given.signal);

  // Requests that set or clear the cookie take turns: in this page, and by a lock in all tabs.
  function inTurn(send, route, given) {
    const { signal } = given;
    const caller = user?.id;
    const work = async () => {
      if (send === turnFetch && caller && caller !== user?.id) throw sessionChanged();
      const issued = await request(send, route, given);
      broadcast(!issued);
      if (!issued) return;
      isNew = true;
      if (location?.protocol === "http:" && (isElsewhere || !isLocal)) refresh().catch(ignore);
      await resume(issued);
      return user;
    };
    const turn = lastTurn.then(
      () =>
        new Promise((resolve, reject) => {
          let begun;
          const begin = () => {
            clearTimeout(timer);
            return (begun ??= work().then(resolve, reject));
          };
          const timer = setTimeout(begin, timeout);
          (async () => navigator.locks.request(name, begin))().catch(begin);
        }),
    );
    lastTurn = turn.catch((error) => {
      // Without a clear answer, the browser may have another cookie.
      if (!(error?.status >= 400 && error.status < 500)) expire();
    });
    return within(0, signal, () => turn);
  }

  async function refresh() {
    try {
      const issued = await call(fetch, "POST auth/refresh", {});
      isNew = false;
      return issued;
    } catch (/** @type {any} */ error) {
      if (isNew && error.code === "refresh_token_missing" && location?.protocol === "http:") {
        isNew = false;
        const cause = isElsewhere
          ? `${location.hostname} and ${base.hostname} are two sites: use one host name`
          : "it is Secure: use https, or AUTHSVC_COOKIE_SECURE=false";
        console.warn(`authsvc: the browser kept no cookie, since ${cause}.`);
      }
      throw error;
    }
  }

  function renew() {
    renewing ??= lastTurn
      .then(() => isPage && resume(undefined, true))
      .finally(() => (renewing = undefined));
    return renewing;
  }

  // Get an access token and its user, by the response to a login or by a refresh.
  function resume(issued, isOutsideTurns) {
    asked = true;
    const sentAt = performance.now();
    let isSure = false;
    return retry(async () => {
      while (issued || performance.now() >= renewFrom) {
        const started = epoch;
        try {
          const answer = issued ?? (await refresh());
          const { access_token, expires_in } = answer;
          const payload = access_token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
          const claims = JSON.parse(atob(payload));
          issued = answer;
          const headers = { Authorization: `Bearer ${access_token}` };
          const owner =
            started === epoch &&
            (await call(fetch, "GET api/me", { headers })
              .then(({ email_verified, ...me }) => ({ ...me, emailVerified: email_verified }))
              .catch((error) => {
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
        } catch (thrown) {
          const error = thrown instanceof AuthError ? thrown : failure(200, thrown);
          if (started === epoch) {
            if (!/^(refresh_token|d\w+_proof)/.test(error.code)) throw error;
            if (isSure || (!user && error.code === "refresh_token_missing")) {
              change(true);
              throw error;
            }
            // Another tab may have logged in meanwhile: ask once more.
            isSure = true;
            if (isOutsideTurns) await lastTurn;
          }
        }
        if (started !== epoch) issued = undefined;
      }
    }, isTemporary);
  }

  async function ask(signal, anew) {
    await within(0, signal, async () => {
      if (anew) await renewing?.catch(ignore);
      renewFrom = 0;
      await renew();
    }).catch((error) => {
      if (!loggedOut || signal?.aborted) throw error;
    });
    return user;
  }

  const mail = (send, path, email, calling) =>
    request(send, `POST ${path}`, { body: { email }, ...calling }).then(ignore);

  // The link of a mail may be this user's or another's: every tab asks what has changed.
  async function followLink(path, body, calling) {
    await request(fetch, `POST auth/${path}`, { body, ...calling });
    broadcast(false);
    if (user) await within(0, calling?.signal, () => renew().catch(ignore));
  }

  async function renewIfOld(signal, renewNow = renew) {
    const now = performance.now();
    if (loggedOut || now < renewFrom) return;
    if (now < useUntil) renew().catch(ignore);
    else await within(0, signal, renewNow);
  }

  const fetchFor = (trusted, renewNow) => async (input, init) => {
    const request = new Request(input, init);
    const { origin } = new URL(request.url);
    if (!trusted.includes(origin) || request.headers.has("Authorization")) return fetch(request);
    const body = init?.body;
    const copy = body ? undefined : request.clone();
    const caller = user?.id;

    const send = (sendable) => {
      if (caller && caller !== user?.id) throw sessionChanged();
      if (token) sendable.headers.set("Authorization", `Bearer ${token}`);
      return fetch(sendable);
    };

    await renewIfOld(request.signal, renewNow).catch((error) => {
      if (caller || !loggedOut) throw error;
    });
    const sent = token;
    const response = await send(request);
    if (response.status !== 401 || !sent) return response;
    const read = () => response.clone().json();
    const problem = await within(timeout, request.signal, read).catch(ignore);
    if (!/^access_token_(expired|invalid|revoked)$/.test(problem?.code)) {
      // An API of another make: try a new token once, or again after a sleep.
      const challenge = response.headers.get("WWW-Authenticate") ?? "";
      if (!/\binvalid_token\b/.test(challenge)) return response;
      if (sent === token) {
        if (deaf.has(origin) && Date.now() < dateUntil) return response;
        refusing.add(origin);
      }
    }
    if (sent === token) expire();
    if (body instanceof ReadableStream) return response;
    await renewIfOld(request.signal, renewNow);
    return send(copy ?? new Request(input instanceof Request ? input : request.url, init));
  };

  // Inside a turn, a renewal does not wait for the turn.
  const turnFetch = fetchFor([base.origin], () => resume());

  function wake({ type, persisted = false }) {
    if (Date.now() >= dateUntil) expire();
    if (!asked) return;
    if (persisted) follow(false);
    else if (type === "online" && status === "unknown") renew().catch(ignore);
  }

  function start() {
    services.set(base.href, open);
    for (const type of EVENTS) globalThis.addEventListener?.(type, wake);
    try {
      channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => follow(data === "logout");
      // In Node an open channel keeps the process alive.
      channel.unref?.();
    } catch {
      // Not there, or refused.
    }
  }

  function stop() {
    services.delete(base.href);
    for (const type of EVENTS) globalThis.removeEventListener?.(type, wake);
    channel?.close();
    channel = undefined;
    change(true);
    renewFrom = Infinity; // ends a renewal under way
  }

  /**
   * @param {Options} options
   * @returns {Auth}
   */
  function open(options) {
    const origins = [base, ...(options.origins ?? [])].map((url) => new URL(url).origin);
    if (origins.includes("null")) throw new TypeError("`origins` takes http: and https: origins");
    const authFetch = fetchFor(origins);
    ({ timeout = timeout, bind = bind } = options);
    if (isPage && !clients) start();
    clients += 1;
    const closers = new Set();
    closers.add(() => (clients -= 1) || stop());

    return {
      get user() {
        return user;
      },
      get status() {
        return status;
      },
      get bound() {
        return user && sid === key.sid;
      },
      ready,
      restore: ({ signal } = {}) => ask(signal),
      refresh: ({ signal } = {}) => ask(signal, true),
      async token({ signal } = {}) {
        await renewIfOld(signal).catch((error) => {
          if (!loggedOut || signal?.aborted) throw error;
        });
        return token || null;
      },
      async register(email, password, { locale, ...calling } = {}) {
        const body = { email, password, locale };
        const account = await request(fetch, "POST auth/register", { body, ...calling });
        return account?.id ? account : null;
      },
      login: (email, password, calling) =>
        inTurn(fetch, "POST auth/login", { body: { email, password }, ...calling }),
      logout: (calling) => inTurn(fetch, "POST auth/logout", { ...calling }),
      logoutEverywhere: (calling) => inTurn(turnFetch, "DELETE api/me/sessions", { ...calling }),
      async changePassword(current_password, new_password, calling) {
        const body = { current_password, new_password };
        await inTurn(turnFetch, "PUT api/me/password", { body, ...calling });
      },
      forgotPassword: (email, calling) => mail(fetch, "auth/password/forgot", email, calling),
      resetPassword: (token, new_password, calling) =>
        followLink("password/reset", { token, new_password }, calling),
      resendVerification: (email, calling) => mail(fetch, "auth/email/resend", email, calling),
      verifyEmail: (token, password, calling) =>
        followLink("email/verify", { token, password }, calling),
      changeEmail: (email, calling) => mail(authFetch, "api/me/email", email, calling),
      confirmEmailChange: (token, calling) => followLink("email/change", { token }, calling),
      deleteAccount: (password, calling) =>
        inTurn(turnFetch, "DELETE api/me", { body: { password }, ...calling }),
      sessions: {
        list: async (calling) =>
          (await request(authFetch, "GET api/me/sessions", { ...calling })).sessions,
        async revoke(id, calling) {
          await request(authFetch, `DELETE api/me/sessions/${encodeURIComponent(id)}`, { ...calling });
          if (id === sid) broadcast(true);
        },
      },
      fetch: authFetch,
      internal: { AuthError, inTurn, origins, request },
      onChange(listener) {
        const tell = (next) => listener(next);
        const remove = () => {
          listeners.delete(tell);
          closers.delete(remove);
        };
        listeners.add(tell);
        closers.add(remove);
        return remove;
      },
      close() {
        for (const close of closers) close();
        closers.clear();
      },
    };
  }
  return open;
}
