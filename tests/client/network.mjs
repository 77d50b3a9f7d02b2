// Faults of the network between the test's browser and the servers.

import { browser } from "./browser.mjs";

/** Answer requests for this path in the service's place, once for each answer. */
export function answerInstead(path, ...answers) {
  const before = browser.network;
  browser.network = async (request, go) => {
    const mine = new URL(request.url).pathname === path && answers.length;
    return mine ? answers.shift()(request) : before(request, go);
  };
}

/** Replace the access token of requests for this path, once for each token. */
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
 * Hold back the next request for this path until `letGo` is called. With `answers`, hold back its
 * answer instead; with `answer`, answer in the service's place.
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

export const silence = () => new Promise(() => {});

export const problem = (status, code, headers = {}) => () =>
  new Response(JSON.stringify({ status, code, detail: "As the test has it." }), {
    status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });

export const html = (status) => () =>
  new Response("<h1>Bad gateway</h1>", { status, headers: { "Content-Type": "text/html" } });
