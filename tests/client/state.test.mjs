// What a page can know: token(), refresh(), status, ready, the user's roles; several clients.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  happen,
  hurry,
  loadModule,
  loggedIn,
  moveClock,
  newEmail,
  openChannel,
  openTab,
  until,
} from "./browser.mjs";
import { answerInstead, cut, holdBack, html, problem } from "./network.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;
const TTL = 600;

const refreshes = () => browser.requests("/auth/refresh");

/** Answer requests for the account with these roles, as after an operator's change. */
function setRoles(...roles) {
  const before = browser.network;
  browser.network = async (request, go) => {
    const answer = await before(request, go);
    if (new URL(request.url).pathname !== "/api/me") return answer;
    return Response.json({ ...(await answer.json()), roles });
  };
}

test("token() is the token that fetch sends, and null without a session", async () => {
  const { auth } = await loggedIn();
  const token = await auth.token();
  await auth.fetch(ME);
  assert.equal(browser.requests("/api/me")[0].token, token);
  assert.equal(refreshes().length, 0);
  await auth.logout();
  assert.equal(await auth.token(), null);
  assert.equal(refreshes().length, 0);
});

test("token() asks at page load and when the token is old: one refresh for all who wait", async (t) => {
  await loggedIn();
  const auth = openTab();
  const [first, ...others] = await Promise.all(Array.from({ length: 9 }, () => auth.token()));
  assert.match(first, /^ey/);
  assert.ok(others.every((token) => token === first));
  moveClock(t, TTL + 1);
  assert.notEqual(await auth.token(), first);
  assert.equal(refreshes().length, 2);
});

test("token() is null when the session turns out to be over, and rejects if nothing is known", async (t) => {
  hurry();
  const { auth } = await loggedIn();
  moveClock(t, TTL + 1);
  answerInstead("/auth/refresh", cut, cut, cut, cut);
  await assert.rejects(auth.token(), { code: "network_error" });
  assert.equal(auth.status, "in");
  browser.cookies.clear();
  assert.equal(await auth.token(), null);
  assert.equal(auth.status, "out");
});

test("the status is unknown until the service has answered", async () => {
  const { email } = await loggedIn();
  const auth = openTab();
  let isReady = false;
  auth.ready.then(() => (isReady = true));
  await new Promise(setImmediate);
  assert.deepEqual([auth.status, isReady], ["unknown", false]);
  await auth.restore();
  assert.equal(auth.status, "in");
  assert.equal((await auth.ready).email, email);
  await auth.logout();
  assert.equal(auth.status, "out");
  const next = openTab();
  await next.restore();
  assert.equal(next.status, "out");
  assert.equal(await next.ready, null);
});

test("after each renewal the user is what the service says, and listeners learn it", async (t) => {
  const { auth } = await loggedIn();
  const heard = [];
  auth.onChange((user) => heard.push(user.roles));
  assert.deepEqual(auth.user.roles, []);
  setRoles("editor");
  assert.deepEqual((await auth.refresh()).roles, ["editor"]);
  setRoles("editor", "admin");
  moveClock(t, TTL + 1);
  await auth.fetch(`${URL_OF_SERVICE}/api/me/sessions`);
  assert.deepEqual(auth.user.roles, ["editor", "admin"]);
  assert.deepEqual(heard, [["editor"], ["editor", "admin"]]);
  const { user } = auth;
  await auth.refresh();
  assert.equal(auth.user, user);
  assert.equal(heard.length, 2);
});

test("a renewal is good although the account cannot be read", async (t) => {
  const { auth, email } = await loggedIn();
  moveClock(t, TTL + 1);
  answerInstead("/api/me", html(404));
  assert.equal((await auth.fetch(`${URL_OF_SERVICE}/api/me/sessions`)).status, 200);
  assert.equal(auth.user.email, email);
  assert.equal(refreshes().length, 1);
});

test("refresh() does not take the answer to an earlier request; restore() does", async () => {
  const { auth } = await loggedIn();
  const gate = holdBack("/auth/refresh");
  const first = auth.restore();
  await gate.reached;
  const joined = auth.restore();
  const anew = [auth.refresh(), auth.refresh()];
  gate.letGo();
  await Promise.all([first, joined, ...anew]);
  assert.equal(refreshes().length, 2);
});

test("refresh() asks again although the one before it failed", async () => {
  const { auth, email } = await loggedIn();
  answerInstead("/auth/refresh", problem(403, "cross_origin_refused"));
  const first = assert.rejects(auth.restore(), { code: "cross_origin_refused" });
  assert.equal((await auth.refresh()).email, email);
  await first;
});

test("twelve clients in one page share one session: one refresh for one login", async () => {
  const { email } = await loggedIn();
  const { createAuth } = loadModule();
  const clients = Array.from({ length: 12 }, () => createAuth({ baseUrl: URL_OF_SERVICE }));
  const users = await Promise.all(clients.map((client) => client.restore()));
  assert.ok(users.every((user) => user.email === email));
  assert.equal(refreshes().length, 1);
  await clients[0].login(email, PASSWORD);
  await until(() => refreshes().length === 2); // the tab of the first login follows
  assert.equal(clients[11].user, clients[0].user);
  await clients[3].logout();
  assert.ok(clients.every(({ status }) => status === "out"));
  for (const client of clients) client.close();
});

test("clients of different services, and of different paths, share nothing", async () => {
  const { createAuth } = loadModule();
  await loggedIn();
  const here = createAuth({ baseUrl: URL_OF_SERVICE });
  const there = createAuth({ baseUrl: `${URL_OF_SERVICE}/prefix` });
  await here.restore();
  assert.deepEqual([here.status, there.status], ["in", "unknown"]);
  here.close();
  there.close();
});

test("each client sends the token to its own origins", async () => {
  await loggedIn();
  const { createAuth } = loadModule();
  const wide = createAuth({ baseUrl: URL_OF_SERVICE, origins: ["http://api.test"] });
  const narrow = createAuth({ baseUrl: URL_OF_SERVICE });
  browser.network = (request, go) =>
    new URL(request.url).hostname === "api.test" ? new Response("{}") : go(request);
  await narrow.restore();
  await narrow.fetch("http://api.test/narrow");
  await wide.fetch("http://api.test/wide");
  assert.equal(browser.requests("/narrow")[0].token, "");
  assert.match(browser.requests("/wide")[0].token, /^ey/);
  wide.close();
  narrow.close();
});

test("a closed client calls no listener; the last one forgets the token and follows nobody", async () => {
  const { email } = await loggedIn();
  const { createAuth } = loadModule();
  const [one, two] = [1, 2].map(() => createAuth({ baseUrl: URL_OF_SERVICE }));
  const heard = [];
  one.onChange(() => heard.push("one"));
  const forget = one.onChange(() => assert.fail("it was removed"));
  two.onChange(() => heard.push("two"));
  forget();
  one.close();
  one.close();
  await two.restore();
  await until(() => heard.length);
  assert.deepEqual(heard, ["two"]);
  two.close();
  assert.deepEqual([two.user, two.status, await two.token()], [null, "out", null]);
  browser.sent.length = 0;
  openChannel().postMessage("login");
  happen("pageshow", { persisted: true });
  await until(() => refreshes().length === 2); // of the first tab
  await new Promise(setImmediate);
  assert.equal(refreshes().length, 2);
  assert.deepEqual(heard, ["two"]);
  const next = createAuth({ baseUrl: URL_OF_SERVICE });
  assert.equal(next.status, "unknown");
  assert.equal((await next.restore()).email, email);
  next.close();
});

test("a refresh that is under way at close() is dropped, and not repeated", async () => {
  await loggedIn();
  const auth = openTab();
  const gate = holdBack("/auth/refresh", { answers: true });
  const restored = auth.restore();
  await gate.reached;
  auth.close();
  gate.letGo();
  assert.equal(await restored, null);
  assert.equal(refreshes().length, 1);
  assert.notEqual(await auth.restore(), null);
});

test("a client that is closed before anything is known is ready, and waits for nothing", async () => {
  const auth = openTab();
  auth.close();
  assert.equal(await auth.ready, null);
});
