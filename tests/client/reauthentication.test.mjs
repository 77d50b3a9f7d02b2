// authsvc-factors.js: the person authenticates again for a sensitive request (RFC 9470).

import assert from "node:assert/strict";
import { test } from "node:test";

import { givePasskeys } from "./authenticator.mjs";
import { PASSWORD, URL_OF_SERVICE, browser, newEmail, openTab, otherOrigin, until } from "./browser.mjs";
import { claimsOf, codeOf, loggedInPage, openPage, withAppOnAnotherDevice } from "./factors.mjs";
import { answerInstead, cut, holdBack, problem } from "./network.mjs";

const ME = `${URL_OF_SERVICE}/api/me`;
const REFUSED = problem(401, "reauthentication_required");
const silence = () => new Promise(() => {});
const reauthentications = () => browser.requests("/auth/reauthenticate").length;

/** Return a page whose `onReauthenticate` gives the password, and what it was asked for. */
async function pageThatGivesThePassword(options) {
  const asked = [];
  const onReauthenticate = async (wanted) => {
    asked.push(wanted);
    await page.auth.reauthenticate({ password: PASSWORD });
  };
  const page = await loggedInPage({ onReauthenticate, ...options });
  return { ...page, asked };
}

/** Start an API on a listed origin that gives these refusals, and then answers. */
async function apiThatRefuses(...refusals) {
  return otherOrigin((request, response) => {
    const { status = 401, headers = {}, body = "" } = refusals.shift() ?? { status: 200 };
    response.writeHead(status, headers).end(body);
  });
}

const refusal = { body: JSON.stringify({ code: "reauthentication_required" }) };
const challenge = 'Bearer error="insufficient_user_authentication", max_age="600"';

test("a reauthentication gives the page an access token of now, without a refresh", async () => {
  const { auth, email } = await loggedInPage();
  const before = await auth.token();
  assert.equal((await auth.reauthenticate({ password: PASSWORD })).email, email);
  assert.notEqual(await auth.token(), before);
  assert.equal(claimsOf(await auth.token()).sid, claimsOf(before).sid);
  assert.equal(browser.requests("/auth/refresh").length, 0);
});

test("other tabs take the new authentication by a refresh", async () => {
  const { auth, email } = await loggedInPage();
  const other = openTab();
  await other.restore();
  const before = await other.token();
  await auth.reauthenticate({ password: PASSWORD });
  await until(async () => (await other.token()) !== before);
  assert.equal(other.user.email, email);
});

test("a wrong password is refused, and the session goes on", async () => {
  const { auth, email } = await loggedInPage();
  await assert.rejects(auth.reauthenticate({ password: "not this one" }), {
    code: "invalid_credentials",
  });
  assert.equal(auth.user.email, email);
  answerInstead("/auth/reauthenticate", cut);
  await assert.rejects(auth.reauthenticate({ password: PASSWORD }), { code: "network_error" });
});

test("the password is not enough with a second factor, and the error says what is", async () => {
  const { auth } = await withAppOnAnotherDevice();
  await assert.rejects(auth.reauthenticate({ password: PASSWORD }), {
    code: "second_factor_required",
    methods: ["totp"],
  });
});

test("if the session has ended, the page learns it", async () => {
  const { auth } = await loggedInPage();
  answerInstead("/auth/reauthenticate", problem(401, "refresh_token_revoked"));
  answerInstead("/auth/refresh", ...Array(2).fill(problem(401, "refresh_token_revoked")));
  await assert.rejects(auth.reauthenticate({ password: PASSWORD }), {
    code: "refresh_token_revoked",
  });
  await until(() => auth.status === "out");
});

test("a refused call asks for the app's code, and is sent once more", async () => {
  const asked = [];
  const person = await withAppOnAnotherDevice({
    onReauthenticate: async (wanted) => {
      asked.push(wanted);
      await person.auth.reauthenticate({ code: codeOf(person.secret, 1) });
    },
  });
  assert.equal((await person.auth.factors.replaceRecoveryCodes()).length, 10);
  assert.deepEqual(asked, [{ methods: ["totp"] }]);
  assert.deepEqual(
    browser.requests("/api/me/recovery-codes").map(({ status }) => status),
    [401, 200],
  );
});

test("a refused fetch asks for a passkey, and is sent once more", async (t) => {
  givePasskeys(t);
  const asked = [];
  const page = await openPage({
    onReauthenticate: async (wanted) => {
      asked.push(wanted);
      await page.reauthenticate({ passkey: true });
    },
  });
  const email = newEmail();
  await page.register(email, PASSWORD);
  await page.login(email, PASSWORD);
  await page.factors.addPasskey("Laptop");
  answerInstead("/api/me", REFUSED);
  assert.equal((await page.fetch(ME)).status, 200);
  assert.deepEqual(asked, [{ methods: ["passkey"] }]);
});

for (const [name, path, act] of [
  ["changeEmail", "/api/me/email", (auth) => auth.changeEmail("new@example.com")],
  ["changePassword", "/api/me/password", (auth) => auth.changePassword(PASSWORD, "another horse, correct")],
  ["deleteAccount", "/api/me", (auth) => auth.deleteAccount(PASSWORD)],
]) {
  test(`${name} is sent once more, too`, async () => {
    const { auth, asked } = await pageThatGivesThePassword();
    const done = () => new Response(null, { status: 204 });
    answerInstead(path, REFUSED, ...(name === "changeEmail" ? [done] : []));
    await act(auth);
    assert.deepEqual(asked, [{ methods: ["password"] }]);
  });
}

test("all requests that wait cause one prompt, and each is sent once more with its body", async () => {
  const api = await apiThatRefuses(...Array(5).fill(refusal));
  const { auth, asked } = await pageThatGivesThePassword({ origins: [api.origin] });
  const post = (body) => auth.fetch(api.origin, { method: "POST", body });
  const form = new FormData();
  form.set("name", "five");
  const answers = await Promise.all([
    post("one"),
    post(new Blob(["two"])),
    auth.fetch(new Request(api.origin, { method: "POST", body: "three" })),
    auth.fetch(new Request(api.origin), { method: "POST", body: "four" }),
    post(form),
  ]);
  assert.deepEqual(answers.map(({ status }) => status), Array(5).fill(200));
  assert.equal(asked.length, 1);
  assert.equal(reauthentications(), 1);
  const bodies = api.received.map(({ body }) => (/five/.test(body) ? "five" : body));
  assert.deepEqual(bodies.slice(0, 5).sort(), ["five", "four", "one", "three", "two"]);
  assert.deepEqual(bodies.slice(5).sort(), ["five", "four", "one", "three", "two"]);
  const token = `Bearer ${await auth.token()}`;
  assert.ok(api.received.slice(5).every(({ authorization }) => authorization === token));
});

/** Start an API that refuses each request at first, the slow one when `refuseNow` is called. */
async function apiWithALateRefusal() {
  let refuseNow;
  const isTime = new Promise((resolve) => (refuseNow = resolve));
  const refused = new Set();
  const api = await otherOrigin(async ({ url }, response) => {
    const isFirst = !refused.has(url);
    refused.add(url);
    if (isFirst && url === "/slow") await isTime;
    response.writeHead(isFirst ? 401 : 200).end(isFirst ? refusal.body : "");
  });
  return { ...api, refuseNow };
}

test("a refusal that comes after the prompt was answered is covered by that answer", async () => {
  const api = await apiWithALateRefusal();
  const { auth, asked } = await pageThatGivesThePassword({ origins: [api.origin] });
  const slow = auth.fetch(`${api.origin}/slow`);
  assert.equal((await auth.fetch(`${api.origin}/quick`)).status, 200);
  api.refuseNow();
  assert.equal((await slow).status, 200);
  assert.equal(asked.length, 1);
});

test("a person who declined is not asked again by a refusal that comes later", async () => {
  const api = await apiWithALateRefusal();
  let prompts = 0;
  const onReauthenticate = async () => (prompts += 1) < 0;
  const { auth } = await loggedInPage({ onReauthenticate, origins: [api.origin] });
  const slow = auth.fetch(`${api.origin}/slow`);
  assert.equal((await auth.fetch(`${api.origin}/quick`)).status, 401);
  api.refuseNow();
  assert.equal((await slow).status, 401);
  assert.equal(prompts, 1);
});

test("an answer of the last user does not send a request again as the next one", async () => {
  const api = await apiWithALateRefusal();
  const { auth, asked } = await pageThatGivesThePassword({ origins: [api.origin] });
  const slow = auth.fetch(`${api.origin}/slow`);
  assert.equal((await auth.fetch(`${api.origin}/quick`)).status, 200);
  const email = newEmail();
  await auth.register(email, PASSWORD);
  await auth.login(email, PASSWORD);
  api.refuseNow();
  await slow;
  assert.equal(asked.length, 2);
});

test("the next refusal after that asks again", async () => {
  const api = await apiThatRefuses(refusal, { status: 200 }, refusal);
  const { auth, asked } = await pageThatGivesThePassword({ origins: [api.origin] });
  assert.equal((await auth.fetch(api.origin)).status, 200);
  assert.equal((await auth.fetch(api.origin)).status, 200);
  assert.equal(asked.length, 2);
});

test("a second refusal is the caller's", async () => {
  const api = await apiThatRefuses(refusal, refusal);
  const { auth, asked } = await pageThatGivesThePassword({ origins: [api.origin] });
  const answer = await auth.fetch(api.origin);
  assert.equal(answer.status, 401);
  assert.deepEqual(await answer.json(), { code: "reauthentication_required" });
  assert.equal(asked.length, 1);
  answerInstead("/api/me/totp", REFUSED, REFUSED);
  await assert.rejects(auth.factors.beginTotp(), { code: "reauthentication_required" });
});

test("a stale token is renewed first, and then the person is asked", async () => {
  const stale = { body: JSON.stringify({ code: "access_token_expired" }) };
  const api = await apiThatRefuses(stale, refusal);
  const { auth, asked } = await pageThatGivesThePassword({ origins: [api.origin] });
  assert.equal((await auth.fetch(api.origin)).status, 200);
  assert.equal(asked.length, 1);
});

test("an API of another make asks by the standard's header", async () => {
  const api = await apiThatRefuses({ headers: { "WWW-Authenticate": challenge } });
  const { auth, asked } = await pageThatGivesThePassword({ origins: [api.origin] });
  assert.equal((await auth.fetch(new URL(api.origin))).status, 200);
  assert.equal(asked.length, 1);
});

test("a body that is a stream is not sent again, and causes no prompt", async () => {
  const api = await apiThatRefuses(refusal);
  const { auth, asked } = await pageThatGivesThePassword({ origins: [api.origin] });
  const init = { method: "POST", body: new Blob(["once"]).stream(), duplex: "half" };
  assert.equal((await auth.fetch(api.origin, init)).status, 401);
  assert.equal(api.received.length, 1);
  assert.equal(asked.length, 0);
});

test("a refusal without a URL, as tests of a page make them, is the caller's", async () => {
  const { auth, asked } = await pageThatGivesThePassword();
  const { fetch } = globalThis;
  globalThis.fetch = async () => Object.defineProperty(REFUSED(), "url", { value: "" });
  assert.equal((await auth.fetch(ME)).status, 401);
  globalThis.fetch = fetch;
  assert.equal(asked.length, 0);
});

test("origins that are not listed, other tokens and other refusals cause no prompt", async () => {
  const unlisted = await apiThatRefuses(refusal);
  const api = await apiThatRefuses(refusal, refusal, { body: "<h1>No</h1>" }, { status: 403 });
  const { auth, asked } = await pageThatGivesThePassword({ origins: [api.origin] });
  const headers = { Authorization: "Bearer of another service" };
  const statuses = [
    await auth.fetch(unlisted.origin),
    await auth.fetch(api.origin, { headers }),
    await auth.fetch(new Request(api.origin, { headers })),
    await auth.fetch(api.origin),
    await auth.fetch(api.origin),
  ].map(({ status }) => status);
  assert.deepEqual(statuses, [401, 401, 401, 401, 403]);
  assert.equal(asked.length, 0);
});

for (const [words, onReauthenticate] of [
  ["rejects", () => Promise.reject(new Error("closed"))],
  ["throws", () => { throw new Error("closed"); }],
  ["resolves to false", async () => false],
  ["is missing", undefined],
]) {
  test(`if the hook ${words}, each caller has the refusal`, async () => {
    const { auth } = await loggedInPage({ onReauthenticate });
    answerInstead("/api/me", ...Array(2).fill(problem(401, "reauthentication_required", { A: "b" })));
    answerInstead("/api/me/totp", REFUSED);
    const [first, second, begun] = await Promise.allSettled([
      auth.fetch(ME),
      auth.fetch(ME),
      auth.factors.beginTotp(),
    ]);
    for (const { value } of [first, second]) {
      assert.deepEqual([value.status, value.headers.get("A")], [401, "b"]);
      assert.equal((await value.json()).code, "reauthentication_required");
    }
    assert.equal(begun.reason.code, "reauthentication_required");
    assert.equal(browser.requests("/api/me").length, 2);
  });
}

test("if the account's factors cannot be read, each caller has the refusal", async () => {
  const { auth, asked } = await pageThatGivesThePassword();
  answerInstead("/api/me", REFUSED);
  answerInstead("/api/me/factors", problem(503, "service_unavailable"));
  assert.equal((await auth.fetch(ME)).status, 401);
  assert.equal(asked.length, 0);
});

test("a caller that aborts waits no longer, and the others do", async () => {
  let answer;
  const onReauthenticate = () => new Promise((resolve) => (answer = resolve));
  const { auth } = await loggedInPage({ onReauthenticate });
  answerInstead("/api/me", REFUSED, REFUSED, REFUSED);
  answerInstead("/api/me/totp", REFUSED);
  const abort = new AbortController();
  const { signal } = abort;
  const aborted = [
    auth.fetch(ME, { signal }),
    auth.fetch(new Request(ME, { signal })),
    auth.factors.beginTotp({ signal }),
  ];
  const other = auth.fetch(ME);
  await until(() => answer);
  abort.abort(new Error("enough"));
  for (const call of aborted) await assert.rejects(call, { message: "enough" });
  answer();
  assert.equal((await other).status, 200);
});

test("a caller that aborts before the person is asked causes no prompt", async () => {
  const { auth, asked } = await pageThatGivesThePassword();
  for (const call of [
    (signal) => auth.factors.beginTotp({ signal }),
    (signal) => auth.fetch(`${URL_OF_SERVICE}/api/me/totp`, { signal }),
  ]) {
    const abort = new AbortController();
    answerInstead("/api/me/totp", () => {
      abort.abort("enough");
      return REFUSED();
    });
    await assert.rejects(call(abort.signal), (reason) => reason === "enough");
  }
  assert.equal(asked.length, 0);
});

test("a logout ends the wait, and the next user is asked anew", async () => {
  const asked = [];
  const onReauthenticate = (wanted) => asked.push(wanted) === 1 ? silence() : undefined;
  const { auth, email } = await loggedInPage({ onReauthenticate });
  answerInstead("/api/me", REFUSED);
  const waiting = auth.fetch(ME);
  await until(() => asked.length);
  await auth.logout();
  assert.equal((await waiting).status, 401);
  await auth.login(email, PASSWORD);
  answerInstead("/api/me", REFUSED);
  assert.equal((await auth.fetch(ME)).status, 200);
  assert.equal(asked.length, 2);
});

test("a request of one user is not sent as the next one, who logs in meanwhile", async () => {
  const bob = newEmail();
  await openTab().register(bob, PASSWORD);
  const page = await loggedInPage({ onReauthenticate: () => page.auth.login(bob, PASSWORD) });
  const api = await apiThatRefuses(refusal);
  answerInstead("/api/me/totp", REFUSED);
  await assert.rejects(page.auth.factors.beginTotp(), { code: "reauthentication_required" });
  assert.equal(page.auth.user.email, bob);
  assert.equal(browser.requests("/api/me/totp").length, 1);
  assert.equal(api.received.length, 0);
});

test("the same user, whose roles have changed meanwhile, causes no second refusal", async () => {
  const { auth, asked } = await pageThatGivesThePassword();
  answerInstead("/api/me/totp", REFUSED);
  const gate = holdBack("/auth/reauthenticate");
  const begun = auth.factors.beginTotp();
  await gate.reached;
  answerInstead("/api/me", () => Response.json({ ...auth.user, roles: ["admin"] }));
  gate.letGo();
  assert.ok((await begun).secret);
  assert.deepEqual(auth.user.roles, ["admin"]);
  assert.equal(asked.length, 1);
});
