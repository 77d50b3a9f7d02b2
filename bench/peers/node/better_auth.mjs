// better-auth as in its documentation: e-mail and password, SQLite by Node's own driver, argon2 in
// the place of its scrypt, and its cookie cache, which spares the database at a protected route.
// get-session without the cached cookie reads the session's row and signs that cookie anew.
// Run with the argument "fill", it makes the tables, Alice and the stored sessions, and prints their
// cookies.

import cluster from "node:cluster";
import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import argon2 from "argon2";
import { betterAuth } from "better-auth";
import { makeSignature } from "better-auth/crypto";
import { getMigrations } from "better-auth/db/migration";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";

const { ANSWER, DATABASE, EMAIL, PASSWORD, PASSWORD_HASH, PORT, SECRET, SESSIONS, WORKERS } = process.env;
const database = new DatabaseSync(DATABASE);
database.exec("PRAGMA busy_timeout = 4000; PRAGMA journal_mode = WAL");

const auth = betterAuth({
  baseURL: `http://127.0.0.1:${PORT ?? 80}`,
  secret: SECRET,
  database,
  emailAndPassword: {
    enabled: true,
    password: { hash: async () => PASSWORD_HASH, verify: ({ hash, password }) => argon2.verify(hash, password) },
  },
  session: { cookieCache: { enabled: true, maxAge: 10 * 60 } },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
});

async function things(req, res) {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) });
  res.writeHead(session ? 200 : 401, { "Content-Type": "application/json" });
  res.end(session ? ANSWER : "");
}

async function fill() {
  database.exec("PRAGMA synchronous = OFF"); // if the machine stops meanwhile, it is filled again
  await (await getMigrations(auth.options)).runMigrations();
  const { user } = await auth.api.signUpEmail({ body: { email: EMAIL, password: PASSWORD, name: "Alice" } });
  const { authCookies, internalAdapter, secret } = await auth.$context;
  for (let number = 0; number < Number(SESSIONS); number++) {
    const { token } = await internalAdapter.createSession(user.id);
    const signed = encodeURIComponent(`${token}.${await makeSignature(token, secret)}`);
    console.log(`${authCookies.sessionToken.name}=${signed}`);
  }
  database.close();
}

if (process.argv[2] === "fill") {
  await fill();
} else if (cluster.isPrimary) {
  for (let number = 0; number < Number(WORKERS); number++) cluster.fork();
} else {
  const handler = toNodeHandler(auth);
  createServer((req, res) => (req.url === "/things" ? things(req, res) : handler(req, res))).listen(Number(PORT), "127.0.0.1");
}
