// Express with jsonwebtoken as in the usual tutorials, with several processes by node:cluster.
// KEY=object gives jsonwebtoken a key object instead of the secret's text, which is far faster.

import cluster from "node:cluster";
import { createSecretKey } from "node:crypto";
import argon2 from "argon2";
import cookieParser from "cookie-parser";
import express from "express";
import jwt from "jsonwebtoken";
import { ANSWER, endSession, findLive, findUser, openSession } from "./store.mjs";

const { KEY, PORT, SECRET, WORKERS } = process.env;
const key = KEY === "object" ? createSecretKey(Buffer.from(SECRET)) : SECRET;

function authenticate(req, res, next) {
  const token = req.headers.authorization?.split(" ")[1];
  if (!token) return res.sendStatus(401);
  jwt.verify(token, key, { algorithms: ["HS256"] }, (error, claims) => {
    if (error || claims.kind !== "access") return res.sendStatus(403);
    req.user = claims;
    next();
  });
}

function accessToken(userId) {
  return jwt.sign({ sub: String(userId), kind: "access" }, key, { expiresIn: "10m" });
}

const app = express();
app.use(express.json());
app.use(cookieParser());

app.get("/things", authenticate, (req, res) => {
  res.json(ANSWER);
});

app.post("/refresh", (req, res) => {
  jwt.verify(req.cookies.refresh_token, key, { algorithms: ["HS256"] }, (error, claims) => {
    const row = error || claims.kind !== "refresh" ? undefined : findLive(claims.jti);
    if (!row) return res.sendStatus(401);
    res.json({ access_token: accessToken(row.user_id) });
  });
});

app.post("/login", async (req, res) => {
  const user = findUser(req.body.email);
  if (!user || !(await argon2.verify(user.password_hash, req.body.password))) {
    return res.sendStatus(401);
  }
  const jwtid = openSession(user.id);
  const refreshToken = jwt.sign({ sub: String(user.id), kind: "refresh" }, key, { expiresIn: "7d", jwtid });
  res.cookie("refresh_token", refreshToken, { httpOnly: true, sameSite: "strict" });
  res.json({ access_token: accessToken(user.id) });
});

app.post("/logout", (req, res) => {
  jwt.verify(req.cookies.refresh_token, key, { algorithms: ["HS256"] }, (error, claims) => {
    if (error || claims.kind !== "refresh" || !endSession(claims.jti)) return res.sendStatus(401);
    res.clearCookie("refresh_token").sendStatus(204);
  });
});

if (cluster.isPrimary) {
  for (let number = 0; number < Number(WORKERS); number++) cluster.fork();
} else {
  app.listen(Number(PORT), "127.0.0.1");
}
