// A page's calls, typed by openapi-typescript. The errors are unions: `code` says which it is.
import createClient from "openapi-fetch";
import assert from "node:assert/strict";
import type { components, paths } from "./schema.js";

const api = createClient<paths>({ baseUrl: process.argv[2] });
const credentials = { email: "fetch@example.com", password: "a horse that is correct" };

const weak = await api.POST("/auth/register", { body: { ...credentials, password: "short" } });
assert(weak.error?.code === "validation_failed");
const [fault] = weak.error.errors;
const code: components["schemas"]["FaultCode"] | undefined = fault?.code;
assert.equal(code, "too_short");

const registered = await api.POST("/auth/register", { body: credentials });
assert.equal(registered.data?.email, credentials.email);

const wrong = await api.POST("/auth/login", { body: { ...credentials, password: "wrong" } });
assert(wrong.error?.code === "invalid_credentials");
const status: 401 = wrong.error.status;
assert.equal(status, wrong.response.status);
// @ts-expect-error: no problem of this route has that code
assert(wrong.error.code !== "email_taken");

const again = await api.POST("/auth/reauthenticate", { body: { code: "000000" } });
assert(again.error?.code === "refresh_token_missing");
type Wanted = components["schemas"]["SecondFactorRequiredProblem"]["methods"][number];
const wanted: Wanted[] = ["totp", "recovery_code", "passkey"];
// @ts-expect-error: an e-mail is not a second factor
wanted.push("email");

const { data: options } = await api.POST("/auth/passkey/options", { body: {} });
const verification: "required" | undefined = options?.userVerification;
assert.equal(verification, "required");
const text = "eA";
const response = { clientDataJSON: text, authenticatorData: text, signature: text };
const credential = { id: text, rawId: text, type: "public-key" as const, response };
const passkey = await api.POST("/auth/passkey", { body: { credential } });
assert(passkey.error?.code === "invalid_credentials");

const login = await api.POST("/auth/login", { body: credentials });
assert(login.data);
const headers = { Authorization: `Bearer ${login.data.access_token}` };
const me = await api.GET("/api/me", { headers });
assert.equal(me.data?.id, registered.data?.id);

const stranger = await api.GET("/api/me");
assert(stranger.error?.code === "access_token_missing");
assert.equal(stranger.error.detail.includes("log in"), true);

const id = "019ab5f2-6c1e-7cc3-98c4-dc0c0c07398f";
const path = { sid: id };
const gone = await api.DELETE("/api/me/sessions/{sid}", { params: { path }, headers });
assert(gone.error?.code === "not_found");

const logout = await api.POST("/auth/logout");
assert.equal(logout.response.status, 204);
const nothing: undefined = logout.data;
assert.equal(nothing, undefined);
