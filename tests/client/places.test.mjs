// Where the module runs: pages with a base, frames, workers, servers, browsers without a feature.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  loadModule,
  loggedIn,
  newEmail,
  openTab,
} from "./browser.mjs";
import { answerInstead, problem } from "./network.mjs";

const missing = problem(401, "refresh_token_missing");

/** Return the URL that a client asks for a session. */
async function asks(baseUrl) {
  let url;
  browser.network = (request) => {
    url = request.url;
    return missing();
  };
  await openTab({ baseUrl }).restore();
  return url;
}

/** Resolve the URLs of requests as a page with this base does. */
function setBase(t, base) {
  const { Request } = globalThis;
  t.mock.method(globalThis, "Request", function (input, init) {
    return new Request(typeof input === "string" ? new URL(input, base) : input, init);
  });
}

for (const [place, baseUrl, url, { page, base }] of [
  ["a page", "/", "https://app.test/", { page: "https://app.test/users/7" }],
  ["a page with a base", "svc", "https://app.test/shop/svc/", {
    page: "https://app.test/shop/users/7",
    base: "https://app.test/shop/",
  }],
  ["a page with a base elsewhere", "/", "https://app.test/", {
    page: "https://app.test/users/7",
    base: "https://cdn.test/",
  }],
  ["a page with a base elsewhere", "https://auth.test", "https://auth.test/", {
    page: "https://app.test/",
    base: "https://cdn.test/",
  }],
  ["a srcdoc frame", "/", "https://app.test/", {
    page: "about:srcdoc",
    base: "https://app.test/users/7",
  }],
  ["a worker", "/", "https://app.test/", { page: "https://app.test/worker.js" }],
  ["a worker made from a blob", "/", "https://app.test/", {
    page: "blob:https://app.test/0b6d8d3c-6d35-4b7a-8d3c-6d354b7a0b6d",
  }],
]) {
  test(`in ${place}, the baseUrl ${baseUrl} is ${url}`, async (t) => {
    globalThis.location = new URL(page);
    globalThis.origin = "https://app.test";
    if (base) setBase(t, base);
    t.after(() => delete globalThis.origin);
    assert.equal(await asks(baseUrl), `${url}auth/refresh`);
  });
}

for (const baseUrl of ["localhost:9160", "127.0.0.1:8000", "auth.example.com:443", "capacitor://x"]) {
  test(`the baseUrl ${baseUrl} is refused: it needs a scheme`, () => {
    assert.throws(() => openTab({ baseUrl }), {
      name: "TypeError",
      message: `baseUrl ${baseUrl} needs a scheme: http:// or https://`,
    });
  });
}

for (const [name, value] of [
  ["BroadcastChannel", undefined],
  ["BroadcastChannel", class { constructor() { throw new DOMException("", "SecurityError"); } }],
  ["addEventListener", undefined],
  ["removeEventListener", undefined],
  ["navigator", undefined],
]) {
  test(`a browser ${value ? "that refuses" : "without"} ${name} logs in and out`, async (t) => {
    const kept = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => {
      delete globalThis[name];
      if (kept) Object.defineProperty(globalThis, name, kept);
    });
    const { auth, email } = await loggedIn();
    assert.equal((await auth.restore()).email, email);
    await auth.logout();
    assert.equal(auth.status, "out");
    auth.close();
  });
}

test("React Native has no location, and has sessions", async (t) => {
  delete globalThis.location;
  Object.defineProperty(globalThis, "navigator", {
    value: { product: "ReactNative" },
    configurable: true,
  });
  t.after(() => delete globalThis.navigator);
  const { email } = await loggedIn();
  assert.equal((await openTab().restore()).email, email);
});

for (const baseUrl of ["/", URL_OF_SERVICE]) {
  test(`on a server with the baseUrl ${baseUrl}, there is no session and nothing is sent`, async () => {
    delete globalThis.location;
    const { createAuth } = loadModule();
    const [auth, other] = [createAuth({ baseUrl }), createAuth({ baseUrl })];
    const asked = [auth.restore(), auth.refresh(), auth.token(), auth.ready];
    assert.deepEqual(await Promise.all(asked), [null, null, null, null]);
    assert.deepEqual([auth.user, auth.status], [null, "unknown"]);
    assert.equal(browser.sent.length, 0);
    assert.notEqual(auth.ready, other.ready);
    auth.close();
  });
}

for (const [page, service, words] of [
  ["http://127.0.0.1:5173", "http://localhost:8000", /since 127.0.0.1 and localhost are two sites/],
  ["http://localhost:5173", "http://127.0.0.1:8000", /localhost and 127.0.0.1 are two sites/],
  ["http://localhost:5173", "http://192.168.1.7:8000", /localhost and 192.168.1.7 are two sites/],
  ["http://192.168.1.7:5173", "http://192.168.1.7:8000", /Secure: use https, or AUTHSVC_COOKIE_SECURE=false/],
  ["http://app.lan", "http://app.lan", /Secure: use https, or AUTHSVC_COOKIE_SECURE=false/],
]) {
  test(`the console says why a login at ${service} does not last in ${page}`, async (t) => {
    const warned = t.mock.method(console, "warn", () => {}).mock;
    const { auth } = await logInAt(page, service);
    assert.equal(auth.status, "in");
    while (!warned.callCount()) await new Promise(setImmediate);
    assert.match(warned.calls[0].arguments[0], words);
    await auth.restore();
    assert.equal(warned.callCount(), 1);
  });
}

test("the console says it later if the URL does not show it at once, as in Safari", async (t) => {
  const warned = t.mock.method(console, "warn", () => {}).mock;
  const { auth } = await logInAt("http://localhost:8000", "http://localhost:8000");
  await new Promise(setImmediate);
  assert.equal(browser.requests("/auth/refresh").length, 0);
  assert.equal(await auth.restore(), null);
  assert.match(warned.calls[0].arguments[0], /Secure: use https/);
});

test("the console stays empty if the cookie is kept, after a logout, and in production", async (t) => {
  t.mock.method(console, "warn", () => assert.fail("a warning"));
  globalThis.location = new URL("http://app.lan/");
  const { auth } = await loggedIn();
  await auth.restore();
  browser.cookies.clear();
  await auth.restore();
  assert.equal(auth.status, "out");
  const { auth: other } = await logInAt("https://app.test", "https://auth.test");
  assert.equal(await other.restore(), null);
});

/** Log in in a page whose browser keeps no cookie of this service. */
async function logInAt(page, service) {
  globalThis.location = new URL(page);
  const email = newEmail();
  await openTab().register(email, PASSWORD);
  const before = browser.network;
  browser.network = async (request, go) => {
    const { pathname } = new URL(request.url);
    const answer = await before(new Request(`${URL_OF_SERVICE}${pathname}`, request), go);
    browser.cookies.clear();
    return answer;
  };
  const auth = openTab({ baseUrl: service });
  await auth.login(email, PASSWORD);
  return { auth };
}
