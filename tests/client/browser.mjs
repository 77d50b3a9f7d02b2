// A browser around Node's fetch: a cookie jar, several tabs, and a network that can be disturbed.

import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { createAuth } from "../../authsvc/static/authsvc.js";

export const URL_OF_SERVICE = process.env.AUTHSVC_URL;
export const EXPIRED_ACCESS_TOKEN = process.env.AUTHSVC_EXPIRED_ACCESS_TOKEN;
export const EXPIRED_REFRESH_TOKEN = process.env.AUTHSVC_EXPIRED_REFRESH_TOKEN;
export const COOKIE = "__Host-refresh_token";
export const PASSWORD = "a horse that is correct";

const sendForReal = globalThis.fetch;
const randomForReal = Math.random;
const waitForReal = globalThis.setTimeout;
const RealChannel = globalThis.BroadcastChannel;

let open = [];
let servers = [];

class Channel extends RealChannel {
  constructor(name) {
    super(name);
    open.push(this);
  }
}

export class Browser {
  cookies = new Map();
  sent = [];
  // A function (request, go): the network between this browser and everybody.
  network = (request, go) => go(request);

  fetch = async (input, init) => {
    const request = new Request(input, init);
    if (request.credentials === "include" && this.cookies.size) {
      const pairs = [...this.cookies].map(([name, value]) => `${name}=${value}`);
      request.headers.set("Cookie", pairs.join("; "));
    }
    const { pathname } = new URL(request.url);
    const entry = { method: request.method, path: pathname, status: 0 };
    entry.token = request.headers.get("Authorization")?.replace("Bearer ", "") ?? "";
    this.sent.push(entry);
    const response = await this.network(request, this.#go);
    entry.status = response.status;
    return response;
  };

  #go = async (request) => {
    const response = await sendForReal(request);
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (/Max-Age=0/.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  };

  requests(path) {
    return this.sent.filter((entry) => entry.path === path);
  }
}

/** The browser that the pages of this test run in. */
export let browser;

beforeEach(() => {
  browser = new Browser();
  globalThis.fetch = browser.fetch;
  globalThis.BroadcastChannel = Channel;
});

afterEach(() => {
  open.forEach((channel) => channel.close());
  servers.forEach((server) => server.close().closeAllConnections());
  open = [];
  servers = [];
  Math.random = randomForReal;
  globalThis.setTimeout = waitForReal;
});

export const openTab = (options = {}) => createAuth({ baseUrl: URL_OF_SERVICE, ...options });

let people = 0;
export const newEmail = () => `person${(people += 1)}.${process.pid}@example.com`;

/** A tab in which somebody new is logged in. */
export async function loggedIn(options) {
  const auth = openTab(options);
  const email = newEmail();
  await auth.register(email, PASSWORD);
  await auth.login(email, PASSWORD);
  browser.sent.length = 0;
  return { auth, email };
}

/** Something with an account, elsewhere: it shares no cookie with `browser`. */
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

/** Another origin, with a server of its own; each request is kept with its body. */
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

/** The service's answer to requests for this path, as many times as there are answers. */
export function answerInstead(path, ...answers) {
  const before = browser.network;
  browser.network = async (request, go) => {
    const mine = new URL(request.url).pathname === path && answers.length;
    return mine ? answers.shift()(request) : before(request, go);
  };
}

/** Put another access token in the requests for this path, as many times as there are tokens. */
export function tamper(path, ...tokens) {
  const before = browser.network;
  browser.network = (request, go) => {
    if (new URL(request.url).pathname === path && tokens.length) {
      request.headers.set("Authorization", `Bearer ${tokens.shift()}`);
    }
    return before(request, go);
  };
}

/**
 * Hold the next request for this path back until it is let go; or its answer, where `answers` is
 * set; or give it `answer` then.
 */
export function holdBack(path, { answers = false, answer } = {}) {
  const before = browser.network;
  const gate = {};
  const opened = new Promise((resolve) => (gate.letGo = resolve));
  gate.reached = new Promise((resolve) => (gate.arrive = resolve));
  browser.network = async (request, go) => {
    if (new URL(request.url).pathname !== path) return before(request, go);
    browser.network = before;
    const early = answer ? answer() : answers && (await before(request, go));
    gate.arrive();
    await opened;
    return early || before(request, go);
  };
  return gate;
}

export const cut = () => {
  throw new TypeError("fetch failed");
};

export const problem = (status, code, headers = {}) => () =>
  new Response(JSON.stringify({ status, code, detail: "As the test has it." }), {
    status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });

export const html = (status) => () =>
  new Response("<h1>Bad gateway</h1>", { status, headers: { "Content-Type": "text/html" } });

/** Wait for what another tab has been told to do. */
export async function until(holds) {
  const deadline = Date.now() + 5_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within five seconds: ${holds}`);
    await pause(5);
  }
}

/** Shorten the page's waits, and make them the least that they may be; they are returned. */
export function hurry() {
  const waits = [];
  Math.random = () => 0;
  globalThis.setTimeout = (done, wait, ...more) => {
    if (more.length) return waitForReal(done, wait, ...more); // those of fetch itself
    waits.push(wait);
    return waitForReal(done, wait / 50);
  };
  return waits;
}
