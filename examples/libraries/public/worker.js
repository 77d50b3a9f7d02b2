// Adds the access token to images and other requests that a page cannot give a header. It keeps
// nothing: it asks the page each time, and caches no response of /auth or /api.

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  const isImage = event.request.destination === "image";
  if (origin === location.origin && pathname.startsWith("/api/") && isImage) {
    event.respondWith(withToken(event));
  }
});

async function withToken({ request, clientId }) {
  const token = await tokenOf(await clients.get(clientId));
  const headers = new Headers(request.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  return fetch(new Request(request, { headers, mode: "same-origin" }));
}

function tokenOf(page) {
  if (!page) return null;
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data);
    setTimeout(resolve, 5000, null); // the page may have been closed
    page.postMessage("token", [port2]);
  });
}
