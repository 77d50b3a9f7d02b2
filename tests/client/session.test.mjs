// Logging in and out, the account, the other tabs and the other devices.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import {
  COOKIE,
  PASSWORD,
  URL_OF_SERVICE,
  browser,
  hurry,
  loadModule,
  loggedIn,
  moveClock,
  newEmail,
  onAnotherDevice,
  openChannel,
  openTab,
  until,
} from "./browser.mjs";
import { answerInstead, cut, html, problem } from "./network.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;

test("without a session, restore resolves to null and tells it once", async () => {
  const auth = openTab();
  const heard = [];
  auth.onChange((user) => heard.push(user));
  assert.equal(await auth.restore(), null);
  assert.equal(await auth.restore(), null);
  assert.equal(auth.user, null);
  assert.deepEqual(heard, [null]);
});

test("registering returns the account and does not log in", async () => {
  const auth = openTab();
  const email = newEmail();
  const user = await auth.register(email, PASSWORD);
  assert.equal(user.email, email);
  assert.equal(auth.user, null);
  assert.equal(browser.cookies.size, 0);
});

test("a refusal is an AuthError with the contract's code, status and faults", async (t) => {
  const { AuthError, createAuth } = loadModule();
  const auth = createAuth({ baseUrl: URL_OF_SERVICE });
  t.after(() => auth.close());
  const refused = await auth.register(newEmail(), "short").catch((error) => error);
  assert.ok(refused instanceof AuthError && refused instanceof Error);
  assert.equal(refused.name, "AuthError");
  assert.deepEqual([refused.code, refused.status], ["validation_failed", 422]);
  assert.deepEqual(Object.keys(refused.errors[0]).sort(), ["code", "detail", "pointer"]);
  assert.equal(refused.errors[0].pointer, "/password");
  assert.equal(refused.errors[0].code, "too_short");
  assert.match(refused.message, /./);
  assert.equal(refused.retryAfter, 0);
});

test("logging in returns the user and calls each listener once", async () => {
  const auth = openTab();
  const email = newEmail();
  const heard = [];
  const forget = auth.onChange((user) => heard.push(user));
  await auth.register(email, PASSWORD);
  const user = await auth.login(email, PASSWORD);
  assert.equal(user.email, email);
  assert.equal(auth.user, user);
  await auth.login(email, PASSWORD);
  assert.deepEqual(heard, [user]);
  forget();
  await auth.logout();
  assert.equal(heard.length, 1);
});

test("a listener that throws stops neither the login nor the other listeners", async () => {
  const auth = openTab();
  const email = newEmail();
  await auth.register(email, PASSWORD);
  const runners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const thrown = once(process, "uncaughtException");
  auth.onChange(() => {
    throw new Error("a mistake in the page");
  });
  const heard = new Promise((resolve) => auth.onChange(resolve));
  await auth.login(email, PASSWORD);
  assert.equal((await heard).email, email);
  assert.equal((await thrown)[0].message, "a mistake in the page");
  for (const runner of runners) process.on("uncaughtException", runner);
});

test("a wrong password at login leaves the logged-in user unchanged", async () => {
  const { auth, email } = await loggedIn();
  const failed = auth.login(email, "this is not the password");
  await assert.rejects(failed, { code: "invalid_credentials", status: 401 });
  assert.equal(auth.user.email, email);
  assert.equal((await auth.fetch(ME)).status, 200);
  assert.equal(browser.requests("/auth/refresh").length, 0);
});

test("a reload restores the session, and the page exposes no token", async () => {
  const { email } = await loggedIn();
  const auth = openTab();
  assert.equal((await auth.restore()).email, email);
  const [{ token }] = browser.requests("/api/me");
  assert.match(token, /^ey/);
  const seen = [auth, ...Object.values(auth), ...Object.values(auth.sessions)];
  assert.ok(!seen.some((part) => JSON.stringify(part)?.includes(token)));
  assert.ok(!seen.some((part) => String(part).includes(token)));
});

test("restore asks when asked, although the token is fresh", async () => {
  const { auth, email } = await loggedIn();
  assert.equal((await auth.restore()).email, email);
  assert.equal(browser.requests("/auth/refresh").length, 1);
  const [session] = await auth.sessions.list();
  const device = await onAnotherDevice(email);
  await device.call("DELETE", `/api/me/sessions/${session.id}`);
  assert.equal(await auth.restore(), null);
});

test("a page that was logged out, and finds a session, renews its token again", async (t) => {
  const { auth, email } = await loggedIn();
  await auth.logout();
  const { cookies } = await onAnotherDevice(email);
  browser.cookies = cookies;
  assert.equal((await auth.restore()).email, email);
  moveClock(t, 3_600);
  assert.equal((await auth.fetch(ME)).status, 200);
  assert.equal(browser.requests("/auth/refresh").length, 2);
});

test("a service mounted below a path is called there", async () => {
  const paths = [];
  answerInstead("/prefix/auth/refresh", (request) => {
    paths.push(request.url);
    return problem(401, "refresh_token_missing")();
  });
  await openTab({ baseUrl: `${URL_OF_SERVICE}/prefix` }).restore();
  assert.deepEqual(paths, [`${URL_OF_SERVICE}/prefix/auth/refresh`]);
});

test("baseUrl may be a path of the page's own origin", async () => {
  const { email } = await loggedIn();
  globalThis.location = new URL(`${URL_OF_SERVICE}/page/index.html`);
  assert.equal((await openTab({ baseUrl: "/" }).restore()).email, email);
});

test("logging out ends the session and forgets the token", async () => {
  const { auth } = await loggedIn();
  const kept = new Map(browser.cookies);
  const heard = [];
  auth.onChange((user) => heard.push(user));
  await auth.logout();
  assert.equal(auth.user, null);
  assert.deepEqual(heard, [null]);
  assert.equal(browser.cookies.size, 0);
  const answer = await auth.fetch(ME);
  assert.equal((await answer.json()).code, "access_token_missing");
  assert.equal(browser.requests("/auth/refresh").length, 0);
  browser.cookies = kept;
  assert.equal(await openTab().restore(), null);
});

test("logging out while offline is an error, and the session stays", async () => {
  const { auth, email } = await loggedIn();
  answerInstead("/auth/logout", cut, problem(503, "service_unavailable", { "Retry-After": "20" }));
  await assert.rejects(auth.logout(), { code: "network_error", status: 0 });
  await assert.rejects(auth.logout(), { code: "service_unavailable", status: 503, retryAfter: 20 });
  assert.equal(auth.user.email, email);
  assert.equal((await auth.fetch(ME)).status, 200);
  assert.ok(browser.cookies.has(COOKIE));
});

test("an answer that is not the service's is an http_error with its status", async () => {
  const auth = openTab();
  const answers = [html(502), () => new Response("null", { status: 500 })];
  answerInstead("/auth/register", ...answers, () => new Response("", { status: 404 }));
  for (const status of [502, 500, 404]) {
    const failed = auth.register(newEmail(), PASSWORD);
    await assert.rejects(failed, { name: "AuthError", code: "http_error", status });
  }
});

test("other tabs follow logins and logouts, and the channel carries no token", async (t) => {
  const [here, there] = [openTab(), openTab()];
  const messages = [];
  const spy = openChannel();
  spy.onmessage = ({ data }) => messages.push(data);
  const email = newEmail();
  await here.register(email, PASSWORD);
  await here.login(email, PASSWORD);
  await until(() => there.user?.email === email);
  await here.login(email, PASSWORD);
  moveClock(t, 3_600);
  await here.fetch(ME);
  await here.logout();
  await until(() => there.user === null);
  assert.equal((await there.fetch(ME)).status, 401);
  await until(() => messages.includes("logout"));
  assert.deepEqual(messages, ["login", "login", "logout"]);
});

test("a tab follows when another user logs in in another tab", async () => {
  const { auth: here, email: alice } = await loggedIn();
  const there = openTab();
  await there.restore();
  const bob = newEmail();
  await there.register(bob, PASSWORD);
  assert.equal(here.user.email, alice);
  await there.login(bob, PASSWORD);
  await until(() => here.user.email === bob);
  assert.equal((await (await here.fetch(ME)).json()).email, bob);
});

test("a tab keeps its user if the network is down while another tab logs in", async () => {
  hurry();
  const { auth, email } = await loggedIn();
  answerInstead("/auth/refresh", cut, cut, cut, cut);
  openChannel().postMessage("login");
  await until(() => browser.requests("/auth/refresh").length === 4);
  assert.equal(auth.user.email, email);
  assert.equal((await auth.fetch(ME)).status, 200);
});

test("logging out everywhere ends the other devices' sessions too", async () => {
  const { auth, email } = await loggedIn();
  const device = await onAnotherDevice(email);
  await auth.logoutEverywhere();
  assert.equal(auth.user, null);
  browser.cookies = device.cookies;
  assert.equal(await openTab().restore(), null);
});

test("a changed password ends every session and keeps this page logged in by a new one", async () => {
  const { auth, email } = await loggedIn();
  const device = await onAnotherDevice(email);
  const changed = "another horse that is correct";
  await assert.rejects(auth.changePassword("not the password", changed), {
    code: "wrong_password",
    status: 403,
  });
  const stolen = new Map(browser.cookies);
  const [old] = (await auth.sessions.list()).filter((session) => session.current);
  browser.sent.length = 0;
  await auth.changePassword(PASSWORD, changed);
  const [only, ...others] = await auth.sessions.list();
  assert.deepEqual(others, []);
  assert.equal(only.current, true);
  assert.notEqual(only.id, old.id);
  assert.equal(browser.requests("/auth/refresh").length, 0);
  assert.equal(auth.user.email, email);
  const kept = browser.cookies;
  browser.cookies = stolen;
  assert.equal(await openTab().restore(), null);
  browser.cookies = kept;
  await auth.logout();
  assert.equal((await auth.login(email, changed)).email, email);
  browser.cookies = device.cookies;
  assert.equal(await openTab().restore(), null);
});

test("a changed password leaves the other tabs logged in", async () => {
  const { auth, email } = await loggedIn();
  const other = openTab();
  assert.equal((await other.restore()).email, email);
  await auth.changePassword(PASSWORD, "another horse that is correct");
  await until(() => browser.requests("/auth/refresh").length === 2);
  assert.equal((await (await other.fetch(ME)).json()).email, email);
  assert.equal(other.user.email, email);
});

test("a deleted account is gone, and a wrong password deletes nothing", async () => {
  const { auth, email } = await loggedIn();
  await assert.rejects(auth.deleteAccount("not the password"), { code: "wrong_password" });
  assert.equal(auth.user.email, email);
  await auth.deleteAccount(PASSWORD);
  assert.equal(auth.user, null);
  assert.equal(browser.cookies.size, 0);
  await assert.rejects(auth.login(email, PASSWORD), { code: "invalid_credentials" });
});

test("the list of sessions says which one is current, and another one can be revoked", async () => {
  const { auth, email } = await loggedIn();
  const device = await onAnotherDevice(email);
  const [other, own] = await auth.sessions.list();
  assert.deepEqual([other.current, own.current], [false, true]);
  await auth.sessions.revoke(other.id);
  assert.equal((await auth.sessions.list()).length, 1);
  assert.notEqual(auth.user, null);
  await assert.rejects(auth.sessions.revoke(other.id), { code: "not_found", status: 404 });
  browser.cookies = device.cookies;
  assert.equal(await openTab().restore(), null);
});

test("revoking the current session is a logout", async () => {
  const { auth } = await loggedIn();
  const [own] = await auth.sessions.list();
  await auth.sessions.revoke(own.id);
  assert.equal(auth.user, null);
});

test("a session revoked from another device ends with the next request", async () => {
  const { auth, email } = await loggedIn();
  const heard = [];
  auth.onChange((user) => heard.push(user));
  const device = await onAnotherDevice(email);
  assert.equal((await device.call("DELETE", "/api/me/sessions")).status, 204);
  await until(() =>
    auth.fetch(ME).then(
      () => false,
      (error) => error.code === "refresh_token_revoked" && error.status === 401,
    ),
  );
  assert.deepEqual(heard, [null]);
  assert.equal((await auth.fetch(ME)).status, 401);
});

test("restore completes a login whose last step failed", async () => {
  hurry();
  const auth = openTab();
  const email = newEmail();
  await auth.register(email, PASSWORD);
  answerInstead("/api/me", cut, html(502), problem(503, "service_unavailable"), cut);
  await assert.rejects(auth.login(email, PASSWORD), { code: "network_error" });
  assert.equal(auth.user, null);
  assert.equal(browser.requests("/auth/login").length, 1);
  assert.equal((await auth.restore()).email, email);
});

test("the client never writes to the page's storage or cookies", async (t) => {
  const touched = [];
  globalThis.document = { baseURI: `${location}` };
  for (const name of ["cookie", "defaultView"]) {
    Object.defineProperty(document, name, {
      get: () => void touched.push(name),
      set: () => touched.push(name),
    });
  }
  t.after(() => delete globalThis.document);
  for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches", "cookieStore"]) {
    const kept = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, {
      get: () => void touched.push(name),
      set: () => touched.push(name),
      configurable: true,
    });
    t.after(() => {
      delete globalThis[name];
      if (kept) Object.defineProperty(globalThis, name, kept);
    });
  }
  const { auth, email } = await loggedIn();
  await openTab().restore();
  await auth.fetch(ME);
  await auth.sessions.list();
  await auth.logout();
  await auth.login(email, PASSWORD);
  await auth.logoutEverywhere();
  assert.deepEqual(touched, []);
});
