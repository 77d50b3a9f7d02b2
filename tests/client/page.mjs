// A page that runs the command on each line of its input and prints the result.

import { createInterface } from "node:readline";

import { createAuth } from "../../authsvc/static/authsvc.js";
import { Databases } from "./indexed_db.mjs";
import { Browser } from "./jar.mjs";

const url = process.env.AUTHSVC_URL;
globalThis.fetch = new Browser().fetch;
globalThis.indexedDB = new Databases();
globalThis.location = new URL(url); // as in a page; on a server there is no session
Math.random = () => 0; // the shortest waits between two tries
const auth = createAuth({ baseUrl: url, bind: true });
const clock = performance.now.bind(performance);

const commands = {
  "log in": async () => {
    const given = ["alice@example.com", "a horse that is correct"];
    await auth.register(...given);
    await auth.login(...given);
  },
  ask: async () => (await auth.fetch(`${url}/api/me`)).status,
  "let the access token expire": () => {
    performance.now = () => clock() + 3_600_000;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const result = await Promise.resolve()
    .then(commands[line])
    .catch((error) => error.code ?? error.name);
  console.log(JSON.stringify({ result, user: auth.user?.email, bound: auth.bound }));
}
