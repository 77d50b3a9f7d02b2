import { auth } from "./auth";

/**
 * Open a WebSocket and send the access token as its first message; a browser cannot send it in a
 * header. The server closes a socket whose first message is not a valid token.
 */
export async function openSocket(url: string): Promise<WebSocket> {
  const token = await auth.token();
  if (!token) throw new Error("Log in first.");
  const socket = new WebSocket(url);
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error(`${url} cannot be reached`));
  });
  socket.send(JSON.stringify({ access_token: token }));
  // A logout ends the session, and this socket with it.
  const stop = auth.onChange((user) => user ?? socket.close());
  socket.addEventListener("close", stop);
  return socket;
}
