// auth.fetch works as fetch: Requests, bodies, streams, aborts, redirects, and which origins get the token.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  EXPIRED_ACCESS_TOKEN,
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  hurry,
  loggedIn,
  moveClock,
  openTab,
  otherOrigin,
} from "./browser.mjs";
import { answerInstead, holdBack, problem } from "./network.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;
const TTL = 600;

const refreshes = () => browser.requests("/auth/refresh");
const streamOf = (text) => new Blob([text]).stream();

/** Start an API on a listed origin that answers the first request with a stale token's 401. */
async function apiThatAnswersStaleOnce() {
  let stale = true;
  return otherOrigin((request, response) => {
    response.statusCode = stale ? 401 : 200;
    response.end(JSON.stringify({ code: stale ? "access_token_expired" : "fine" }));
    stale = false;
  });
}

test("the token goes to the service and to listed origins, and nowhere else", async () => {
  const [listed, unlisted] = [await otherOrigin(), await otherOrigin()];
  const { auth } = await loggedIn({ origins: [listed.origin] });
  for (const { origin } of [listed, unlisted]) {
    assert.equal(await (await auth.fetch(`${origin}/things`)).text(), "hello");
  }
  assert.match(listed.received[0].authorization, /^Bearer ey/);
  assert.equal(unlisted.received[0].authorization, undefined);
  const { port, hostname } = new URL(URL_OF_SERVICE);
  await auth.fetch(`http://${hostname}.evil.test:${port}/`).catch(() => {});
  await auth.fetch(`https://${hostname}:${port}/`).catch(() => {});
  await auth.fetch(unlisted.origin.replace("127.0.0.1", "[::1]")).catch(() => {});
  assert.ok(browser.sent.slice(1).every(({ token }) => token === ""));
});

test("an origin that begins like a listed one gets no token", async () => {
  const unlisted = await otherOrigin();
  const { auth } = await loggedIn({ origins: ["http://127.0.0.1"] });
  await auth.fetch(unlisted.origin);
  assert.equal(unlisted.received[0].authorization, undefined);
});

test("a request to another origin is not changed and causes no refresh", async (t) => {
  const other = await otherOrigin();
  const { auth } = await loggedIn();
  moveClock(t, TTL + 1);
  const headers = { Authorization: "Basic b3RoZXI6cGFzcw==" };
  await auth.fetch(other.origin, { method: "POST", body: "a body", headers });
  assert.deepEqual(other.received, [
    { authorization: headers.Authorization, body: "a body", method: "POST" },
  ]);
  assert.equal(browser.sent.length, 1);
});

test("the token does not follow a redirect to another origin", async () => {
  const target = await otherOrigin();
  const listed = await otherOrigin((request, response) => {
    response.writeHead(307, { Location: `${target.origin}/` }).end();
  });
  const { auth } = await loggedIn({ origins: [listed.origin] });
  const answer = await auth.fetch(listed.origin, { method: "POST", body: "a body" });
  assert.equal(answer.url, `${target.origin}/`);
  assert.match(listed.received[0].authorization, /^Bearer ey/);
  assert.deepEqual(target.received, [{ authorization: undefined, body: "a body", method: "POST" }]);
});

test("neither password nor token follows a redirect of the service's own routes", async () => {
  const target = await otherOrigin();
  hurry();
  const { auth, email } = await loggedIn();
  const before = browser.network;
  const moved = await otherOrigin((request, response) => {
    response.writeHead(307, { Location: `${target.origin}/` }).end();
  });
  browser.network = (request, go) => {
    const { pathname } = new URL(request.url);
    return before(new Request(`${moved.origin}${pathname}`, request), go);
  };
  await assert.rejects(auth.login(email, PASSWORD), { code: "network_error" });
  await assert.rejects(auth.restore(), { code: "network_error" });
  assert.ok(moved.received.length >= 2);
  assert.equal(target.received.length, 0);
});

const bodies = {
  text: () => ({ body: "a body" }),
  form: () => ({ body: new URLSearchParams({ a: "body" }) }),
  bytes: () => ({ body: new TextEncoder().encode("a body") }),
  blob: () => ({ body: new Blob(["a body"]) }),
};
for (const [name, init] of Object.entries(bodies)) {
  test(`a body of ${name} is sent again unchanged`, async () => {
    const api = await apiThatAnswersStaleOnce();
    const { auth } = await loggedIn({ origins: [api.origin] });
    const answer = await auth.fetch(api.origin, { method: "PUT", ...init() });
    assert.equal((await answer.json()).code, "fine");
    const [first, second] = api.received;
    assert.match(first.body, /^a.body$/);
    assert.equal(second.body, first.body);
    assert.equal(second.method, "PUT");
    assert.equal(refreshes().length, 1);
  });
}

test("a Request is sent with its body, twice if needed, and is used up", async () => {
  const api = await apiThatAnswersStaleOnce();
  const { auth } = await loggedIn({ origins: [api.origin] });
  const request = new Request(api.origin, { method: "PATCH", body: "a body" });
  const answer = await auth.fetch(request);
  assert.equal(answer.status, 200);
  const [first, second] = api.received.map(({ method, body }) => `${method} ${body}`);
  assert.deepEqual([first, second], ["PATCH a body", "PATCH a body"]);
  assert.ok(request.bodyUsed);
  assert.equal(request.headers.get("Authorization"), null);
  await assert.rejects(auth.fetch(request), TypeError);
});

test("a stream is sent once: its 401 is the answer, the next request has a new token", async () => {
  const api = await apiThatAnswersStaleOnce();
  const { auth } = await loggedIn({ origins: [api.origin] });
  const stream = () => ({ method: "POST", body: streamOf("a stream"), duplex: "half" });
  const refused = await auth.fetch(api.origin, stream());
  assert.equal(refused.status, 401);
  assert.equal((await refused.json()).code, "access_token_expired");
  assert.equal((await auth.fetch(api.origin, stream())).status, 200);
  assert.deepEqual(api.received.map(({ body }) => body), ["a stream", "a stream"]);
  assert.equal(refreshes().length, 1);
});

test("a response is a stream: its first part arrives before its last", async () => {
  let finish;
  const api = await otherOrigin((request, response) => {
    response.write("first");
    finish = () => response.end("last");
  });
  const { auth } = await loggedIn({ origins: [api.origin] });
  const reader = (await auth.fetch(api.origin)).body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "first");
  finish();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "last");
});

test("an abort ends a request that was sent", async () => {
  let arrived;
  const reached = new Promise((resolve) => (arrived = resolve));
  const api = await otherOrigin(() => arrived());
  const { auth } = await loggedIn({ origins: [api.origin] });
  const abort = new AbortController();
  const answer = auth.fetch(api.origin, { signal: abort.signal });
  await reached;
  abort.abort();
  await assert.rejects(answer, { name: "AbortError" });
});

test("an abort ends the waiting for a refresh with its reason; the refresh goes on", async (t) => {
  const { auth } = await loggedIn();
  moveClock(t, TTL + 1);
  const gate = holdBack("/auth/refresh");
  const abort = new AbortController();
  const reason = new Error("the page has moved on");
  const impatient = auth.fetch(new Request(ME, { signal: abort.signal }));
  const patient = auth.fetch(ME);
  await gate.reached;
  abort.abort(reason);
  await assert.rejects(impatient, reason);
  gate.letGo();
  assert.equal((await patient).status, 200);
  assert.equal(refreshes().length, 1);
});

test("a request that was aborted before causes none", async (t) => {
  const { auth } = await loggedIn();
  moveClock(t, TTL + 1);
  const reason = new Error("never mind");
  await assert.rejects(auth.fetch(ME, { signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(browser.sent, []);
});

test("an abort ends the waiting between a 401 and its retry", async () => {
  const { auth } = await loggedIn();
  answerInstead("/api/me", problem(401, "access_token_expired"));
  const gate = holdBack("/auth/refresh");
  const abort = new AbortController();
  const answer = auth.fetch(ME, { signal: abort.signal });
  await gate.reached;
  abort.abort();
  await assert.rejects(answer, { name: "AbortError" });
  gate.letGo();
});

test("a caller's own Authorization is kept, and its 401 is the caller's", async () => {
  const { auth } = await loggedIn();
  const headers = { Authorization: `Bearer ${EXPIRED_ACCESS_TOKEN}` };
  assert.equal((await auth.fetch(ME, { headers })).status, 401);
  assert.equal((await auth.fetch(new Request(ME, { headers }))).status, 401);
  assert.ok(browser.sent.every(({ token }) => token === EXPIRED_ACCESS_TOKEN));
  assert.equal(browser.sent.length, 2);
});

test("invalid requests are refused as by fetch", async () => {
  const { auth } = await loggedIn();
  await assert.rejects(auth.fetch("no url"), TypeError);
  await assert.rejects(auth.fetch(ME, { method: "GET", body: "a body" }), TypeError);
  assert.equal(browser.sent.length, 0);
});

test("a URL object that its owner changes meanwhile does not redirect the token", async () => {
  const unlisted = await otherOrigin();
  const { auth } = await loggedIn();
  const url = new URL(ME);
  answerInstead("/api/me", () => {
    url.href = `${unlisted.origin}/stolen`;
    return problem(401, "access_token_expired")();
  });
  const response = await auth.fetch(url, { method: "PUT", body: "x" });
  assert.equal(new URL(response.url).href, ME);
  assert.deepEqual(unlisted.received, []);
});

test("an id of a session is one part of a path", async () => {
  const { auth } = await loggedIn();
  await assert.rejects(auth.sessions.revoke("../sessions"), { code: "not_found" });
  assert.equal((await auth.sessions.list()).length, 1);
});

test("an origin that the browser calls null is refused", () => {
  assert.throws(() => openTab({ origins: ["capacitor://localhost"] }), { name: "TypeError" });
});

test("a Request with another body keeps its method when it is sent again", async () => {
  const api = await apiThatAnswersStaleOnce();
  const { auth } = await loggedIn({ origins: [api.origin] });
  const request = new Request(`${api.origin}/things`, { method: "PUT" });
  assert.equal((await auth.fetch(request, { body: "x" })).status, 200);
  assert.deepEqual(api.received.map(({ method, body }) => method + body), ["PUTx", "PUTx"]);
});
