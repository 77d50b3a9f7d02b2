// Fastify with fast-jwt, whose verifier caches the tokens that it has verified.

import cluster from "node:cluster";
import cookie from "@fastify/cookie";
import argon2 from "argon2";
import { createSigner, createVerifier } from "fast-jwt";
import Fastify from "fastify";
import { ANSWER, endSession, findLive, findUser, openSession } from "./store.mjs";

const { PORT, SECRET: key, WORKERS } = process.env;
const MINUTE = 60_000;
const signAccess = createSigner({ key, expiresIn: 10 * MINUTE });
const signRefresh = createSigner({ key, expiresIn: 7 * 24 * 60 * MINUTE });
const verify = createVerifier({ key, algorithms: ["HS256"], cache: true });

function verified(token, kind) {
  try {
    const claims = verify(token);
    return claims.kind === kind ? claims : undefined;
  } catch {
    return undefined;
  }
}

const app = Fastify();
await app.register(cookie);

app.get("/things", {
  async preHandler(request, reply) {
    request.user = verified(request.headers.authorization?.slice("Bearer ".length), "access");
    if (!request.user) return reply.code(401).send();
  },
  async handler() {
    return ANSWER;
  },
});

app.post("/refresh", async (request, reply) => {
  const claims = verified(request.cookies.refresh_token, "refresh");
  const row = claims && findLive(claims.jti);
  if (!row) return reply.code(401).send();
  return { access_token: signAccess({ sub: String(row.user_id), kind: "access" }) };
});

app.post("/login", async (request, reply) => {
  const user = findUser(request.body.email);
  if (!user || !(await argon2.verify(user.password_hash, request.body.password))) {
    return reply.code(401).send();
  }
  const claims = { sub: String(user.id), kind: "refresh", jti: openSession(user.id) };
  reply.setCookie("refresh_token", signRefresh(claims), { httpOnly: true, sameSite: "strict" });
  return { access_token: signAccess({ sub: String(user.id), kind: "access" }) };
});

app.post("/logout", async (request, reply) => {
  const claims = verified(request.cookies.refresh_token, "refresh");
  if (!claims || !endSession(claims.jti)) return reply.code(401).send();
  reply.clearCookie("refresh_token").code(204);
});

if (cluster.isPrimary) {
  for (let number = 0; number < Number(WORKERS); number++) cluster.fork();
} else {
  await app.listen({ port: Number(PORT), host: "127.0.0.1" });
}
