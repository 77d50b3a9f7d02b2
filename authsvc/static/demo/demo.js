// The demo page: shows what authsvc.js does.

import { createAuth } from "../static/authsvc.js";
import { createTimeline } from "./timeline.js";

const $ = (id) => document.getElementById(id);
const timeline = createTimeline($("timeline"));
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const LOGGED = 60;

observe();
const auth = createAuth({ baseUrl: new URL("..", import.meta.url).href });

/** Wrap `fetch`, so that every request of the module is drawn and logged. */
function observe() {
  const send = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const method = request?.method ?? init?.method ?? "GET";
    const path = new URL(request?.url ?? input, location.href).pathname;
    const lane = path.endsWith("/auth/refresh") ? "refresh" : "request";
    let response;
    try {
      response = await send(input, init);
    } catch (error) {
      timeline.mark(lane, "lost");
      log(method, path, "no answer", "The session stays: a network fault is not a logout.", "lost");
      throw error;
    }
    const problem = response.ok ? null : await response.clone().json().catch(() => null);
    const kind = response.ok ? "good" : problem?.code === "refresh_token_missing" ? "calm" : "bad";
    const issues = /\/auth\/(login|refresh)$/.test(path);
    if (response.ok && issues) {
      const { expires_in: seconds } = await response.clone().json();
      timeline.begin();
      timeline.issued(seconds);
      tick();
      log(method, path, 200, `An access token for ${seconds} s, into memory.`, "good");
    } else {
      log(method, path, response.status, problem ? explain(problem) : became(method, path), kind);
    }
    timeline.mark(lane, kind);
    return response;
  };
}

function explain({ code, detail }) {
  if (code === "refresh_token_missing") return "There is no session to restore.";
  return `${code}: ${detail}`;
}

function became(method, path) {
  if (path.endsWith("/auth/logout")) return "The session's row is revoked, the cookie is gone.";
  if (path.endsWith("/auth/register")) return "The account is there; logging in is the next step.";
  if (path.endsWith("/api/me/password")) return "Changed; every session is over, and a new one is open here.";
  if (method === "DELETE") return path.endsWith("/api/me") ? "The account is gone." : "Revoked.";
  return "Let in: the access token's signature, expiry and session are good.";
}

function log(method, path, answer, text, kind) {
  const row = $("log").insertRow(0);
  row.role = "row"; // a narrow screen's CSS takes away the roles of a table
  for (const cell of [new Date().toLocaleTimeString(), `${method} ${path}`, answer, text]) {
    Object.assign(row.insertCell(), { role: "cell", textContent: cell });
  }
  row.cells[1].className = "mono";
  row.cells[2].className = kind;
  while ($("log").rows.length > LOGGED) $("log").deleteRow(-1);
}

let shown = "unknown";
function show(user) {
  const before = shown;
  shown = user?.id ?? "logged out";
  if (before === shown) return;
  const held = document.activeElement;
  const lostFocus = held === document.body || held?.closest("#entrance, #person, #account");
  if (!user) timeline.end();
  $("entrance").hidden = Boolean(user);
  $("person").hidden = $("account").hidden = !user;
  $("one").disabled = $("ten").disabled = !user;
  $("pill").dataset.state = user ? "in" : "out";
  $("pill").textContent = user ? "Logged in" : "Logged out";
  $("person-title").textContent = user?.email ?? "";
  $("jar").textContent = user ? "present" : "none";
  if (!user) {
    $("rows").textContent = "none";
    $("me").replaceChildren();
    $("sessions").replaceChildren();
    for (const error of document.querySelectorAll(".error")) error.textContent = "";
    for (const form of document.forms) if (form.id !== "login") form.reset();
    document.querySelector("details").open = false;
  } else {
    $("login").reset();
    tell(`Logged in as ${user.email}.`);
    listSessions();
  }
  if (before !== "unknown") {
    if (!user) tell("Logged out.");
    if (lostFocus) (user ? $("person-title") : $("email")).focus();
  }
  tick();
}

let quiet;
function tell(text) {
  $("status").textContent = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => ($("status").textContent = ""), 6_000);
}

/** Run the work with the button disabled, and show its error beside it. */
async function attempt(errorAt, work, button) {
  const place = $(errorAt);
  place.textContent = "";
  if (button) button.ariaDisabled = "true";
  try {
    return await work();
  } catch (error) {
    place.textContent = [error.message, ...(error.errors ?? []).map((fault) => fault.detail)].join(" ")
      + (error.retryAfter ? ` (in ${error.retryAfter} s)` : "");
  } finally {
    if (button) button.ariaDisabled = null;
  }
}

function onSubmit(id, errorAt, work) {
  $(id).addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    if (button?.ariaDisabled === "true") return;
    attempt(errorAt, () => work(new FormData(event.target), button), button);
  });
}

function onClick(id, errorAt, work) {
  $(id).addEventListener("click", (event) => {
    if (event.currentTarget.ariaDisabled !== "true") attempt(errorAt, work, event.currentTarget);
  });
}

async function listSessions() {
  const list = await attempt("sessions-error", () => auth.sessions.list());
  if (!list || !auth.user) return;
  $("rows").textContent = `${list.length} live`;
  const mine = list.find((session) => session.current);
  if (mine) {
    const days = (Date.parse(mine.expires_at) - Date.parse(mine.created_at)) / 86_400_000;
    $("jar").textContent = `${days.toFixed(days < 1 ? 1 : 0)} days at most`;
  }
  $("sessions").replaceChildren(...list.map(sessionItem));
}

function sessionItem(session) {
  const item = document.createElement("li");
  const text = item.appendChild(document.createElement("div"));
  const name = text.appendChild(document.createElement("b"));
  name.textContent = device(session.user_agent);
  if (session.current) {
    const badge = text.appendChild(document.createElement("span"));
    badge.className = "badge";
    badge.textContent = "this one";
  }
  const since = text.appendChild(document.createElement("span"));
  since.className = "quiet";
  since.textContent = `${session.ip_address ?? "unknown address"}, since ${new Date(session.created_at).toLocaleString()}`;
  const button = item.appendChild(document.createElement("button"));
  button.textContent = "Revoke";
  button.ariaLabel = `Revoke the session on ${device(session.user_agent)}${session.current ? ", this one" : ""}`;
  button.addEventListener("click", async () => {
    await attempt("sessions-error", () => auth.sessions.revoke(session.id), button);
    if (!auth.user) return;
    tell("Revoked.");
    await listSessions();
    $("sessions-title").focus();
  });
  return item;
}

function device(agent) {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari|curl)[/ ]/.exec(agent ?? "")?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent ?? "")?.[1];
  const named = { Edg: "Edge", OPR: "Opera" }[browser] ?? browser;
  return [named ?? "Another client", system && `on ${system.replace("Mac OS X", "macOS")}`].filter(Boolean).join(" ");
}

const ask = async () => {
  const response = await auth.fetch("api/me").catch(() => undefined);
  return response?.ok ? response.json() : undefined;
};

onSubmit("login", "login-error", async (form, button) => {
  const given = [form.get("email"), form.get("password")];
  if (button?.value === "register") await auth.register(...given);
  await auth.login(...given);
});
onSubmit("change", "change-error", async (form) => {
  await auth.changePassword(form.get("current"), form.get("new"));
  $("change").reset();
  tell("The password is changed.");
  await listSessions();
});
onSubmit("delete", "delete-error", (form) => auth.deleteAccount(form.get("confirm")));
onClick("logout", "person-error", () => auth.logout());
onClick("logout-everywhere", "person-error", () => auth.logoutEverywhere());
onClick("reload", "sessions-error", listSessions);
onClick("who", "person-error", async () => {
  const me = await (await auth.fetch("api/me")).json();
  const rows = { id: me.id, since: new Date(me.created_at).toLocaleString() };
  $("me").replaceChildren(...Object.entries(rows).flatMap(([name, value]) => {
    const [term, what] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, what.textContent] = [name, value];
    return [term, what];
  }));
  tell(`You are ${me.email}.`);
});
$("one").addEventListener("click", ask);
$("ten").addEventListener("click", () => Promise.all(Array.from({ length: 10 }, ask)));
setInterval(() => {
  if (auth.user && $("keep").checked && !document.hidden) ask();
}, 4_000);

function tick() {
  const left = Math.ceil(timeline.left());
  const text = !auth.user ? "none" : left ? `${left} s left` : "expired; the next request renews it";
  if ($("memory").textContent !== text) $("memory").textContent = text;
}

function describe() {
  const text = auth.user
    ? `Timeline: the access token has about ${Math.ceil(timeline.left() / 10) * 10} seconds left. The table at the end of the page lists the requests.`
    : "Timeline: logged out";
  if ($("timeline").ariaLabel !== text) $("timeline").ariaLabel = text;
}

function frame() {
  timeline.draw();
  tick();
  describe();
  setTimeout(() => requestAnimationFrame(frame), calm.matches ? 1_000 : 40);
}

auth.onChange(show);
requestAnimationFrame(frame);
const resume = () => attempt("login-error", () => auth.restore());
resume().then(() => show(auth.user));
addEventListener("online", () => auth.user || resume());
