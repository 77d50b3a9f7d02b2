// The newest security events of the account, signs of a stolen cookie among them.

import { device } from "./devices.js";
import { element } from "./elements.js";
import { eventSentence } from "./events.js";
import { when } from "./times.js";

const MOST = 8;

/**
 * Ask for the events, newest first.
 *
 * @param {ReturnType<import("../static/authsvc.js").createAuth>} auth
 * @returns {Promise<object[]>} none if the service does not answer as expected
 */
export async function loadEvents(auth) {
  const response = await auth.fetch("api/me/activity");
  return response.ok ? (await response.json()).events : [];
}

/** Show the newest of these events. */
export function showEvents(events) {
  document.getElementById("activity").replaceChildren(...events.slice(0, MOST).map(eventItem));
}

function eventItem(happened) {
  const { at, current, actor, ip_address, user_agent } = happened;
  const { words, isWarning } = eventSentence(happened);
  const title = element("p", "title", words);
  if (isWarning) title.append(" ", element("span", "badge warning", "warning"));
  const place = `${device(user_agent).name}, ${ip_address ?? "unknown address"}`;
  const where = actor === "operator" ? "by an operator of the service" : place;
  const session = current ? ", this session" : "";
  const item = element("li", isWarning ? "warning" : "");
  item.append(title, element("p", "quiet", `${when(at)}: ${where}${session}`));
  return item;
}
