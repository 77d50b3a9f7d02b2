// A browser around Node's fetch: a cookie jar, a list of what was sent, and a network.

const sendForReal = globalThis.fetch;

export class Browser {
  cookies = new Map();
  sent = [];
  // A function (request, go): the network between this browser and the servers.
  network = (request, go) => go(request);

  fetch = async (input, init) => {
    const request = new Request(input, init);
    if (request.credentials === "include" && this.cookies.size) {
      const pairs = [...this.cookies].map(([name, value]) => `${name}=${value}`);
      request.headers.set("Cookie", pairs.join("; "));
    }
    const { pathname } = new URL(request.url);
    const entry = { method: request.method, path: pathname, status: 0 };
    entry.token = request.headers.get("Authorization")?.replace("Bearer ", "") ?? "";
    entry.proof = request.headers.get("DPoP");
    this.sent.push(entry);
    const response = await this.network(request, this.#go);
    entry.status = response.status;
    // A browser's responses always have one; those that a test makes do not.
    if (!response.url) Object.defineProperty(response, "url", { value: request.url });
    return response;
  };

  #go = async (request) => {
    const response = await sendForReal(request);
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (/Max-Age=0/.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  };

  requests(path) {
    return this.sent.filter((entry) => entry.path === path);
  }
}
