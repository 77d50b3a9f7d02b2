// What the page shows: that nothing is known yet, the forms, or the account of a person.

import { termsOf } from "./elements.js";
import { clear, tell } from "./forms.js";

const $ = (id) => document.getElementById(id);
const ENDED =
  "Your session has ended: it expired, or it was ended in another tab or on another device.";
const NO_CONNECTION =
  "No connection to the service. You stay logged in, and requests work again when it is back.";

function showForm(id) {
  for (const form of $("entrance").querySelectorAll("form")) form.hidden = form.id !== id;
}

/** Let the buttons below each form lead to the other one, with the address typed so far. */
function linkForms() {
  for (const button of document.querySelectorAll("[data-shows]")) {
    button.addEventListener("click", () => {
      const [from, to] = [button.closest("form"), $(button.dataset.shows)];
      to.elements.email.value = from.elements.email.value;
      clear(from);
      tell();
      showForm(to.id);
      to.elements.email.focus();
    });
  }
}

function showState(state) {
  document.body.dataset.state = state;
  $("waiting").hidden = true;
  $("entrance").hidden = state === "in";
  $("person").hidden = $("account").hidden = state !== "in";
  $("one").disabled = $("ten").disabled = state !== "in";
  $("pill").textContent = state === "in" ? "Logged in" : "Logged out";
}

/** @param {string} email the address that a password manager saves a new password for */
function nameForms(email) {
  // It is the default value, so that a reset of the form keeps it.
  for (const form of document.forms) form.elements.username?.setAttribute("value", email);
}

function emptyAccount() {
  $("jar").textContent = $("rows").textContent = "none";
  $("me").replaceChildren();
  for (const id of ["sessions", "activity"]) $(id).replaceChildren();
  for (const error of document.querySelectorAll(".error")) error.textContent = "";
  for (const details of document.querySelectorAll("details")) details.open = false;
}

/**
 * @param {{ onPerson: () => void, onEntrance: () => void }} events called when a person has logged
 *   in, and when the session is over
 */
export function createPage({ onPerson, onEntrance }) {
  let shown; // undefined while nothing is known, then the id of the user or null
  let words = ENDED;

  linkForms();
  if (location.hash === "#login") showForm("login");
  addEventListener("offline", () => connected(false));
  addEventListener("online", () => connected(true));

  function show(user) {
    const before = shown;
    shown = user?.id ?? null;
    $("person-title").textContent = user?.email ?? "";
    nameForms(user?.email ?? "");
    if (before === shown) return;
    const held = document.activeElement;
    const focusIsLost = held === document.body || held?.closest(".hero .card, #account, dialog");
    for (const form of document.forms) clear(form);
    tell();
    showState(user ? "in" : "out");
    if (user) onPerson();
    else {
      onEntrance();
      emptyAccount();
      connected(true);
    }
    if (before === undefined) return;
    if (!user) {
      showForm("login");
      tell("entrance-notice", words);
      words = ENDED;
    }
    if (focusIsLost) (user ? $("person-title") : $("email")).focus();
  }

  /** Tell whether the service can be reached. */
  function connected(is) {
    const text = is || !shown ? "" : NO_CONNECTION;
    if ($("connection").textContent !== text) $("connection").textContent = text;
  }

  return {
    show,
    showForm,
    connected,

    /** Say this when the session ends; without words, that it ended elsewhere. */
    farewell(text = ENDED) {
      words = text;
    },

    waiting() {
      $("retry").hidden = true;
      $("waiting-title").textContent = "One moment";
      $("waiting-words").textContent = "Looking for your session …";
    },

    notKnown(reason) {
      if (shown !== undefined) return;
      $("waiting-title").textContent = "Your session could not be checked";
      $("waiting-words").textContent = reason;
      $("retry").hidden = false;
    },

    /** @param {Record<string, string>} rows */
    showDetails(rows) {
      $("me").replaceChildren(...termsOf(rows));
    },
  };
}
