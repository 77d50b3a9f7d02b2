// A page's calls, by the functions that @hey-api/openapi-ts generates.
import assert from "node:assert/strict";
import { client } from "./hey/client.gen.js";
import { login, logout, meShow, metrics, passwordChange, refresh, register } from "./hey/sdk.gen.js";
import type { FaultCode } from "./hey/types.gen.js";

const body = { email: "hey@example.com", password: "a horse that is correct" };
let token: string | undefined;
let cookie: string | undefined;
client.setConfig({
  baseUrl: process.argv[2],
  auth: (scheme) => (scheme.in === "cookie" ? cookie : token),
});

const weak = await register({ body: { ...body, password: "passwordpassword" } });
assert(weak.error?.code === "validation_failed");
const code: FaultCode | undefined = weak.error.errors[0]?.code;
assert.equal(code, "breached");

const registered = await register({ body });
assert.equal(registered.data?.email, body.email);

const wrong = await login({ body: { ...body, password: "wrong" } });
assert(wrong.error?.code === "invalid_credentials");
const status: 401 = wrong.error.status;
assert.equal(status, wrong.response?.status);
// @ts-expect-error: no problem of this route has that code
assert(wrong.error.code !== "email_taken");

const missing = await refresh();
assert(missing.error?.code === "refresh_token_missing");

const loggedIn = await login({ body });
token = loggedIn.data?.access_token;
cookie = loggedIn.response?.headers.getSetCookie()[0]?.split(/[=;]/)[1];
assert.equal((await meShow()).data?.id, registered.data?.id);
assert.equal((await refresh()).data?.token_type, "Bearer");

const change = { current_password: body.password, new_password: "a lamp that is not lit" };
const refused = await passwordChange({ body: { ...change, current_password: "wrong" } });
assert(refused.error?.code === "wrong_password");
const changed = await passwordChange({ body: change });
assert(changed.data?.access_token !== token);

const text: string | undefined = (await metrics()).data;
assert(text?.includes("authsvc_"));
assert.equal((await logout()).response?.status, 204);
