// The inbox of the demo: lists the mails of the service's folder, and shows the one whose id is in
// the fragment. A mail may hold any text: it is shown as text, and its HTML in a sandbox.

import { element, termsOf } from "./elements.js";
import { fromNow, when } from "./times.js";

const $ = (id) => document.getElementById(id);
const PAUSE = 2_000; // milliseconds between two looks into the folder
const LINK = /(https?:\/\/[^\s<>"]+)/;

let mails = [];
let opened; // the id of the mail that is shown

async function get(path) {
  const response = await fetch(new URL(path, import.meta.url));
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
}

const urlOf = (id) => `inbox/mails/${encodeURIComponent(id)}`;

/** Look into the folder from time to time, while the page can be seen. */
async function follow() {
  if (!document.hidden) await look();
  setTimeout(follow, PAUSE);
}

async function look() {
  try {
    const { mails: found } = await get("inbox/mails");
    $("connection").textContent = "";
    if (JSON.stringify(found) !== JSON.stringify(mails) || !found.length) list(found);
    for (const mail of mails) $(`at-${mail.id}`).textContent = ago(mail);
  } catch {
    const words = "The service cannot be reached. New mails appear when it is back.";
    $("connection").textContent = words;
  }
}

function list(found) {
  const held = document.activeElement?.dataset.id;
  mails = found;
  $("mails").replaceChildren(...mails.map(item));
  $("empty").hidden = mails.length > 0;
  const words = mails.length === 1 ? "1 mail" : `${mails.length} mails, newest first`;
  $("count").textContent = mails.length ? words : "";
  document.querySelector(`[data-id="${CSS.escape(held ?? "")}"]`)?.focus();
  mark();
}

function item(mail) {
  const link = document.createElement("a");
  link.href = `#${encodeURIComponent(mail.id)}`;
  link.dataset.id = mail.id;
  const at = element("span", "at", ago(mail));
  at.id = `at-${mail.id}`;
  const names = element("span", "names", `To ${mail.recipient || "(no recipient)"}`);
  link.append(element("span", "title", subjectOf(mail)), names, at);
  link.append(element("span", "from", `From ${mail.sender || "(no sender)"}`));
  const made = document.createElement("li");
  made.append(link);
  return made;
}

const subjectOf = ({ subject }) => subject || "(no subject)";

function ago(mail) {
  const at = Date.parse(mail.at);
  return Date.now() - at < 5_000 ? "just now" : fromNow(at);
}

/** Mark the open mail in the list. */
function mark() {
  for (const link of $("mails").querySelectorAll("a")) {
    link.ariaCurrent = link.dataset.id === opened ? "true" : null;
  }
}

/** Show the mail that the fragment names, or none. */
async function open(event) {
  const id = location.hash.slice(1);
  if (id === "main") return; // the link that skips to the content
  opened = id;
  mark();
  $("mail-error").textContent = "";
  document.body.toggleAttribute("data-opened", Boolean(id));
  $("back").hidden = !id;
  $("opened").hidden = true;
  $("nothing").hidden = Boolean(id);
  $("subject").textContent = id ? "One moment" : "No mail is open";
  if (!id) return;
  const mail = await get(urlOf(id)).catch(() => undefined);
  if (opened !== id) return;
  if (mail) show(mail);
  else {
    $("subject").textContent = "This mail cannot be opened";
    $("mail-error").textContent = "Its file was deleted, or many newer mails have come since.";
  }
  if (event) $("subject").focus();
}

function show(mail) {
  $("subject").textContent = subjectOf(mail);
  const { sender: From, recipient: To, at } = mail;
  $("headers").replaceChildren(...termsOf({ From, To, Time: when(at) }));
  const frame = $("html").cloneNode(); // a new frame adds no entry to the history of the tab
  frame.hidden = !mail.has_html;
  frame.src = mail.has_html ? new URL(`${urlOf(mail.id)}/html`, import.meta.url) : "about:blank";
  $("html").replaceWith(frame);
  $("plain").open = !mail.has_html;
  $("text").replaceChildren(...mail.text.split(LINK).map(textOrLink));
  $("opened").hidden = false;
}

function textOrLink(text) {
  if (!LINK.test(text)) return text;
  const link = document.createElement("a");
  link.href = link.textContent = text;
  return link;
}

addEventListener("hashchange", open);
document.addEventListener("visibilitychange", () => document.hidden || look());
open();
follow();
