import { auth } from "./auth";

/**
 * Yield the data of server-sent events. `EventSource` cannot send a header, and a token does not
 * belong in a URL, so the stream is read with `fetch`.
 */
export async function* events(url: string, signal?: AbortSignal): AsyncGenerator<string> {
  const response = await auth.fetch(url, { headers: { Accept: "text/event-stream" }, signal });
  if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}`);
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const blocks = (rest + chunk.value).split(/\r?\n\r?\n/);
    rest = blocks.pop()!;
    for (const block of blocks) {
      const lines = block.split(/\r?\n/).filter((line) => line.startsWith("data:"));
      if (lines.length) yield lines.map((line) => line.replace(/^data: ?/, "")).join("\n");
    }
  }
}
