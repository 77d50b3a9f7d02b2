// Whether this session is bound to a key of this browser, and how to try that out.

const $ = (id) => document.getElementById(id);

/** @param {boolean | null} bound null if there is no session */
export function showBinding(bound) {
  const words = bound ? "Bound to this browser" : "Not bound";
  $("key").textContent = bound === null ? "none" : words;
  $("bound").hidden = !bound;
  $("bound-words").hidden = bound === false;
  $("unbound-words").hidden = bound !== false;
}

/**
 * Complete the command with which a copied cookie would be used.
 *
 * @param {string} baseUrl of the service
 */
export function showCommand(baseUrl) {
  const { cookie } = $("thief").dataset;
  const url = new URL("auth/refresh", baseUrl);
  $("thief").textContent = `curl -X POST -b '${cookie}=PASTE-IT-HERE' ${url}`;
}
