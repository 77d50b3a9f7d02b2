// A page on which each recipe reports what it did; the tests read it.
import { createRoot } from "react-dom/client";
import { auth } from "./auth";
import { api as axiosApi } from "./axios";
import { events } from "./events";
import { startWorker } from "./images";
import { api as kyApi } from "./ky";
import { client } from "./openapi-fetch";
import { Queries, SessionCount } from "./react-query";
import { openSocket } from "./socket";
import { upload } from "./upload";

const recipes: Record<string, () => Promise<unknown>> = {
  axios: async () => (await axiosApi.get("/me")).data.email,
  ky: async () => (await kyApi("me").json<{ email: string }>()).email,
  "openapi-fetch": async () => (await client.GET("/api/me")).data?.email,
  events: async () => {
    const seen = [];
    for await (const data of events("/api/events")) seen.push(data);
    return seen.join(" ");
  },
  socket: async () => {
    const socket = await openSocket("/api/socket");
    return new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(data)));
  },
  upload: async () => {
    let progress = 0;
    const status = await upload("/api/files", new Blob(["x".repeat(100_000)]), (part) => (progress = part));
    return `${status} ${progress}`;
  },
  "service worker": async () => {
    await startWorker();
    const image = new Image();
    image.src = "/api/picture.svg";
    await image.decode();
    return `${image.naturalWidth} px`;
  },
};

async function show(name: string, recipe: () => Promise<unknown>) {
  const output = document.createElement("output");
  output.id = name;
  document.body.append(output);
  output.textContent = await recipe().then(String, (error) => `failed: ${error}`);
}

await auth.restore();
createRoot(document.querySelector("#app")!).render(
  <Queries>
    <SessionCount />
  </Queries>,
);
for (const [name, recipe] of Object.entries(recipes)) show(name, recipe);
