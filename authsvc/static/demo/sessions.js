// The list of the account's sessions: enough about each to tell the devices apart.

import { loadEvents, showEvents } from "./activity.js";
import { device } from "./devices.js";
import { actionButton, element, listItem } from "./elements.js";
import { attempt, tell } from "./forms.js";
import { eventSentence } from "./events.js";
import { fromNow, roughly, when } from "./times.js";

const $ = (id) => document.getElementById(id);
const HOUR = 3_600_000;

/** `last_used_at` is exact to within an hour: see the API reference. */
function lastUse({ current, last_used_at }) {
  if (current) return "in use now";
  const at = Date.parse(last_used_at);
  return Date.now() - at < HOUR ? "used within the last hour" : `last used ${fromNow(at)}`;
}

/**
 * @param {ReturnType<import("../static/authsvc.js").createAuth>} auth
 * @param {(words: string, work: () => Promise<void>) => Promise<void>} leaving ends this session
 */
export function createSessionList(auth, leaving) {
  /** Ask for the live sessions and the newest events, and show them: this session first. */
  async function load() {
    const ask = () => Promise.all([auth.sessions.list(), loadEvents(auth)]);
    const [list, events] = (await attempt("sessions-error", ask)) ?? [];
    if (!list || !auth.user) return;
    list.sort((a, b) => b.current - a.current);
    $("sessions").replaceChildren(...list.map((session) => sessionItem(session, end)));
    warn(events);
    showEvents(events);
    $("rows").textContent = `${list.length} live`;
    const [{ created_at, expires_at }] = list;
    const life = (Date.parse(expires_at) - Date.parse(created_at)) / 1_000;
    $("jar").textContent = `${roughly(life)} at most`;
  }

  async function end({ id, current }, name, button) {
    const revoke = async () => {
      const work = () => auth.sessions.revoke(id);
      await (current ? leaving("You are logged out.", work) : work());
      return true;
    };
    const ended = await attempt("sessions-error", revoke, button);
    if (!ended || !auth.user) return;
    await load();
    tell("sessions-notice", `${name} is logged out.`);
    $("sessions-title").focus();
  }

  return { load };
}

/** Say beside this session, the first in the list, if its cookie may be in other hands. */
function warn(events) {
  const sign = events.find((event) => event.current && eventSentence(event).isWarning);
  if (!sign) return;
  const words = `${eventSentence(sign).words} ${when(sign.at)}.`;
  $("sessions").querySelector(".words").append(element("p", "warning", words));
}

const binding = ({ bound }) =>
  bound ? "Bound to a key of its browser." : "Not bound: its cookie alone is enough.";

/** @param {(session: object, name: string, button: HTMLButtonElement) => void} end */
function sessionItem(session, end) {
  const { name, kind } = device(session.user_agent);
  const address = session.ip_address ?? "unknown address";
  const [since, until] = [when(session.created_at), fromNow(Date.parse(session.expires_at))];
  const lines = [
    `${address}, ${lastUse(session)}`,
    `Logged in ${since}. Ends ${until} at the latest.`,
    binding(session),
  ];
  const label = `Log out ${name}, ${address}${session.current ? ", this one" : ""}`;
  const button = actionButton("Log out", label, (button) => end(session, name, button));
  return listItem(kind, name, { badge: session.current ? "this one" : "", lines }, button);
}
