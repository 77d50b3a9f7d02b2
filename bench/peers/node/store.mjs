// The database of Express and Fastify: users and refresh tokens in SQLite, by Node's own driver.
// Run as a program, it makes the tables, Alice and the stored sessions, and prints their cookies.

import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import jwt from "jsonwebtoken";

export const ANSWER = JSON.parse(process.env.ANSWER);

const db = new DatabaseSync(process.env.DATABASE);
db.exec("PRAGMA busy_timeout = 4000; PRAGMA journal_mode = WAL");
db.exec(`
  CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, password_hash TEXT);
  CREATE TABLE IF NOT EXISTS refresh_tokens (jti TEXT PRIMARY KEY, user_id INTEGER, revoked_at TEXT);
`);

const user = db.prepare("SELECT id, password_hash FROM users WHERE email = ?");
const live = db.prepare("SELECT user_id FROM refresh_tokens WHERE jti = ? AND revoked_at IS NULL");
const insert = db.prepare("INSERT INTO refresh_tokens (jti, user_id) VALUES (?, ?)");
const revoke = db.prepare("UPDATE refresh_tokens SET revoked_at = ? WHERE jti = ? AND revoked_at IS NULL");

export const findUser = (email) => user.get(email);
export const findLive = (jti) => live.get(jti);

export function openSession(userId) {
  const jti = randomUUID();
  insert.run(jti, userId);
  return jti;
}

/** End a session; returns whether it was live. */
export const endSession = (jti) => revoke.run(new Date().toISOString(), jti).changes === 1;

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { EMAIL, PASSWORD_HASH, SECRET, SESSIONS } = process.env;
  db.exec("BEGIN");
  db.prepare("INSERT INTO users (email, password_hash) VALUES (?, ?)").run(EMAIL, PASSWORD_HASH);
  for (let number = 0; number < Number(SESSIONS); number++) {
    const token = jwt.sign({ kind: "refresh" }, SECRET, { subject: "1", expiresIn: "7d", jwtid: openSession(1) });
    console.log(`refresh_token=${token}`);
  }
  db.exec("COMMIT");
  db.close();
}
