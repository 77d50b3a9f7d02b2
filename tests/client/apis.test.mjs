// APIs of another make, which verify the token themselves and know none of the service's codes.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  URL_OF_SERVICE,
  browser,
  loggedIn,
  moveClock,
  otherOrigin,
  stopTimers,
  until,
} from "./browser.mjs";

const TTL = 600;
const CHALLENGE = 'Bearer realm="api", error="invalid_token", error_description="expired"';

const refreshes = () => browser.requests("/auth/refresh").length;

/** Start an API whose answer depends on the token: `accepts` says whether it is good. */
async function api(accepts, challenge = CHALLENGE) {
  return otherOrigin((request, response) => {
    if (!accepts(request.headers.authorization)) {
      response.statusCode = 401;
      response.setHeader("WWW-Authenticate", challenge);
    }
    response.end("{}");
  });
}

/** Accept all tokens except those that have been named. */
function refusing() {
  const bad = new Set();
  return { bad, accepts: (token) => !bad.has(token) };
}

for (const challenge of [CHALLENGE, "Bearer error=invalid_token"]) {
  test(`a 401 with ${challenge} is answered by one refresh and one retry`, async () => {
    const { bad, accepts } = refusing();
    const { origin, received } = await api(accepts, challenge);
    const { auth } = await loggedIn({ origins: [origin] });
    await auth.fetch(origin);
    bad.add(received[0].authorization);
    const answers = await Promise.all(Array.from({ length: 5 }, () => auth.fetch(origin)));
    assert.ok(answers.every(({ status }) => status === 200));
    assert.equal(refreshes(), 1);
  });
}

test("an API that refuses every token gets one new one, and then the 401 is the answer", async () => {
  const { origin, received } = await api(() => false);
  const { auth } = await loggedIn({ origins: [origin] });
  for (let round = 0; round < 5; round += 1) {
    const answer = await auth.fetch(origin, { method: "POST", body: "a body" });
    assert.equal(answer.status, 401);
  }
  assert.equal(refreshes(), 1);
  assert.equal(received.length, 6);
});

test("streams to an API that refuses every token cause one refresh", async () => {
  const { origin } = await api(() => false);
  const { auth } = await loggedIn({ origins: [origin] });
  for (let round = 0; round < 4; round += 1) {
    const body = new Blob(["a stream"]).stream();
    const answer = await auth.fetch(origin, { method: "POST", body, duplex: "half" });
    assert.equal(answer.status, 401);
  }
  assert.equal(refreshes(), 1);
});

test("an API that refuses a token does not keep another API's from being renewed", async () => {
  const never = await api(() => false);
  const { bad, accepts } = refusing();
  const good = await api(accepts);
  const { auth } = await loggedIn({ origins: [never.origin, good.origin] });
  await auth.fetch(never.origin);
  await auth.fetch(good.origin);
  bad.add(good.received[0].authorization);
  assert.equal((await auth.fetch(good.origin)).status, 200);
  assert.equal(refreshes(), 2);
});

test("two sleeps within one token's life cost a refresh each", async (t) => {
  const { bad, accepts } = refusing();
  const { origin, received } = await api(accepts);
  const { auth } = await loggedIn({ origins: [origin] });
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  await auth.fetch(origin);
  for (const round of [1, 2]) {
    bad.add(received.at(-1).authorization);
    t.mock.timers.setTime(Date.now() + (TTL + 1) * 1_000);
    assert.equal((await auth.fetch(origin)).status, 200);
    assert.equal(refreshes(), round);
  }
});

test("a renewal on time gives the API that refused another try", async (t) => {
  const { bad, accepts } = refusing();
  const { origin, received } = await api((token) => accepts(token) && received.length % 2 === 0);
  const { auth } = await loggedIn({ origins: [origin] });
  await auth.fetch(origin); // refused, and answered by the retry
  bad.add(received.at(-1).authorization);
  assert.equal(refreshes(), 1);
  assert.equal((await auth.fetch(origin)).status, 401);
  moveClock(t, TTL + 1);
  await auth.fetch(origin);
  assert.equal(refreshes(), 2);
});

test("a challenge without invalid_token is the caller's", async () => {
  const { origin } = await api(() => false, 'Bearer error="insufficient_scope"');
  const { auth } = await loggedIn({ origins: [origin] });
  assert.equal((await auth.fetch(origin)).status, 401);
  assert.equal(refreshes(), 0);
});

test("a 401 that arrives after a renewal is repeated with the new token", async () => {
  let answerLate;
  const { origin } = await otherOrigin(async (request, response) => {
    if (request.url === "/late" && !answerLate) {
      await new Promise((resolve) => (answerLate = resolve));
      response.writeHead(401, { "WWW-Authenticate": CHALLENGE });
    }
    response.end("{}");
  });
  const { auth } = await loggedIn({ origins: [origin] });
  const late = auth.fetch(`${origin}/late`);
  while (!answerLate) await new Promise(setImmediate);
  await auth.refresh();
  answerLate();
  assert.equal((await late).status, 200);
  assert.equal(refreshes(), 1);
  assert.equal((await auth.fetch(`${URL_OF_SERVICE}/api/me`)).status, 200);
});

test("a 401 whose body never ends is returned all the same", async (t) => {
  const { origin } = await otherOrigin((request, response) => {
    response.writeHead(401);
    response.write("{");
  });
  const { auth } = await loggedIn({ origins: [origin] });
  const pass = stopTimers(t);
  let answer;
  const answered = auth.fetch(origin).then((response) => (answer = response));
  await until(() => {
    pass(1);
    return answer;
  });
  assert.equal((await answered).status, 401);
});
