// Logs in and refreshes with proofs by the npm package `dpop`; writes what it got as JSON.
import * as dpop from "dpop";

const TEN_YEARS = 315_360_000_000;
const service = process.argv[2];
const keys = await dpop.generateKeyPair("ES256");
const clock = Date.now;
let cookie = "";

async function post(path, { nonce, body, bare = false } = {}) {
  const url = service + path;
  const headers = { Cookie: cookie, "Content-Type": "application/json" };
  if (!bare) headers.DPoP = await dpop.generateProof(keys, url, "POST", nonce);
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
  const { code } = await response.json();
  return { status: response.status, code, nonce: response.headers.get("DPoP-Nonce") };
}

const account = { email: "dora@example.com", password: "the map is in the bag" };
const answers = { registered: await post("/auth/register", { body: account, bare: true }) };
answers.loggedIn = await post("/auth/login", { body: account });
answers.refreshed = await post("/auth/refresh");
answers.byTheCookieAlone = await post("/auth/refresh", { bare: true });
Date.now = () => clock() - TEN_YEARS;
answers.stale = await post("/auth/refresh");
answers.withNonce = await post("/auth/refresh", { nonce: answers.stale.nonce });
answers.staleLogin = await post("/auth/login", { body: account });
answers.loginWithNonce = await post("/auth/login", { body: account, nonce: answers.stale.nonce });
answers.thumbprint = await dpop.calculateThumbprint(keys.publicKey);
console.log(JSON.stringify(answers));
