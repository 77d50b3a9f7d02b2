import { auth } from "./auth";

/** Let the service worker ask this page for the access token, so that `<img src="/api/…">` works. */
export async function startWorker(): Promise<void> {
  navigator.serviceWorker.addEventListener("message", async ({ data, ports: [port] }) => {
    if (data === "token") port?.postMessage(await auth.token().catch(() => null));
  });
  await navigator.serviceWorker.register(`${import.meta.env.BASE_URL}worker.js`);
  await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller) {
    await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done, { once: true }));
  }
}
