// The browser of each test: its tabs, its clocks, other devices and other origins.

import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { Browser } from "./jar.mjs";

export const URL_OF_SERVICE = process.env.AUTHSVC_URL;
export const EXPIRED_ACCESS_TOKEN = process.env.AUTHSVC_EXPIRED_ACCESS_TOKEN;
export const EXPIRED_REFRESH_TOKEN = process.env.AUTHSVC_EXPIRED_REFRESH_TOKEN;
export const COOKIE = "__Host-refresh_token";
export const PASSWORD = "a horse that is correct";

const randomForReal = Math.random;
const waitForReal = globalThis.setTimeout;
const clearForReal = globalThis.clearTimeout;
const DEADLINE = 10_000;
const TABS_AT_ONCE = 6;

let open = [];
let servers = [];
let loaded = 0;
// Each tab has its own copy of the module.
const copies = [];

/** The browser that the pages of this test run in. */
export let browser;

beforeEach(async () => {
  browser = new Browser();
  globalThis.fetch = browser.fetch;
  globalThis.location = new URL("https://app.example.com/");
  const events = new EventTarget();
  for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) {
    globalThis[name] = events[name].bind(events);
  }
  while (copies.length < TABS_AT_ONCE) {
    copies.push(await import(`../../authsvc/static/authsvc.js?copy=${(loaded += 1)}`));
  }
});

afterEach(() => {
  open.forEach((closable) => closable.close());
  servers.forEach((server) => server.close().closeAllConnections());
  open = [];
  servers = [];
  Math.random = randomForReal;
  globalThis.setTimeout = waitForReal;
});

/** Return the module as a new tab has it. */
export const loadModule = () => copies.pop();

/** Return a client in a new tab. */
export function openTab(options = {}) {
  const auth = loadModule().createAuth({ baseUrl: URL_OF_SERVICE, ...options });
  open.push(auth);
  return auth;
}

/** Return a channel as the module of another tab opens it. */
export function openChannel() {
  const channel = new BroadcastChannel(`authsvc ${URL_OF_SERVICE}/`);
  open.push(channel);
  return channel;
}

/** Let an event of the browser happen in all tabs. */
export const happen = (type, more = {}) => dispatchEvent(Object.assign(new Event(type), more));

let people = 0;
export const newEmail = () => `person${(people += 1)}.${process.pid}@example.com`;

/** Return a tab in which a new user is logged in. */
export async function loggedIn(options) {
  const auth = openTab(options);
  const email = newEmail();
  await auth.register(email, PASSWORD);
  await auth.login(email, PASSWORD);
  browser.sent.length = 0;
  return { auth, email };
}

/** Log the account in on another device, which shares no cookie with `browser`. */
export async function onAnotherDevice(email) {
  const device = new Browser();
  const post = (path, body) =>
    device.fetch(new URL(path, URL_OF_SERVICE), {
      method: "POST",
      credentials: "include",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  const { access_token } = await (await post("/auth/login", { email, password: PASSWORD })).json();
  const call = (method, path) =>
    device.fetch(new URL(path, URL_OF_SERVICE), {
      method,
      headers: { Authorization: `Bearer ${access_token}` },
    });
  return { cookies: device.cookies, call };
}

/** Start a server on another origin; it records each request with its body. */
export async function otherOrigin(answer = (request, response) => response.end("hello")) {
  const received = [];
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    received.push({ authorization: request.headers.authorization, body, method: request.method });
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  return { origin: `http://127.0.0.1:${server.address().port}`, received };
}

/** Move the monotonic clock of all pages by some seconds. */
export function moveClock(t, seconds) {
  const now = performance.now.bind(performance);
  return t.mock.method(performance, "now", () => now() + seconds * 1_000).mock;
}

/**
 * Stop the module's timers and its monotonic clock, and not those of Node's fetch; return a function
 * that lets some seconds pass.
 */
export function stopTimers(t) {
  const now = performance.now.bind(performance);
  const waiting = new Set();
  let passed = 0;
  t.mock.method(performance, "now", () => now() + passed);
  t.mock.method(globalThis, "setTimeout", (done, wait, ...more) => {
    if (!/authsvc\.js/.test(new Error().stack)) return waitForReal(done, wait, ...more);
    const timer = { done, at: passed + wait };
    waiting.add(timer);
    return timer;
  });
  t.mock.method(globalThis, "clearTimeout", (timer) => waiting.delete(timer) || clearForReal(timer));
  return (seconds) => {
    passed += seconds * 1_000;
    for (const timer of waiting) if (timer.at <= passed && waiting.delete(timer)) timer.done();
  };
}

/** Wait until a condition holds. */
export async function until(holds) {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`does not hold within twenty seconds: ${holds}`);
    await pause(5);
  }
}

/** Shorten the page's waits to their minimum; return the list of them. */
export function hurry() {
  const waits = [];
  Math.random = () => 0;
  globalThis.setTimeout = (done, wait, ...more) => {
    // Those with arguments are fetch's own, the long ones are deadlines.
    if (more.length || wait >= DEADLINE) return waitForReal(done, wait, ...more);
    waits.push(wait);
    return waitForReal(done, wait / 50);
  };
  return waits;
}
