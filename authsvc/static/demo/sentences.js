// The errors of the service as sentences for people. A program decides by `code`; where this page
// has no sentence of its own, the service's `detail` is shown.

import { roughly } from "./times.js";

const PROBLEMS = {
  invalid_credentials: "The e-mail address or the password is wrong.",
  token_invalid: "This link does not work any more. Ask for another mail.",
  email_taken: "Another account has this address by now. Choose another address.",
  registration_closed: "This service does not take new accounts.",
  session_changed: "This session has ended in the meantime. Log in again.",
  not_found: "This session has already ended.",
  dpop_proof_missing: "This browser has lost the key of its session. Log in again.",
  dpop_proof_invalid: "This browser has lost the key of its session. Log in again.",
  network_error: "The service cannot be reached. Check your connection and try again.",
  service_unavailable: "The service is busy. Nothing was changed: try again in a moment.",
  internal_error: "Something went wrong in the service. Try again in a moment.",
  http_error: "Something went wrong on the way to the service. Try again in a moment.",
};

/** Problems that belong to a field: which one, if the form has it. */
const OF_FIELDS = {
  email_taken: [["email"], "This address already has an account. Log in, or use another address."],
  invalid_credentials: [["registered_password", "step_up_password"], "This password is wrong."],
  password_required: [
    ["registered_password"],
    "Enter the password that you chose when you registered.",
  ],
  reauthentication_required: [
    ["step_up_password"],
    "Your last login is too long ago: enter your password once more.",
  ],
  wrong_password: [["current_password", "password"], "This is not your current password."],
};

const FAULTS = {
  missing: "Fill this in.",
  invalid_email: "This is not an e-mail address. Check it for typing mistakes.",
  invalid_characters: "This contains characters that cannot be used here.",
  breached: "Attackers try this password first. Choose another one.",
  contains_email: "Your e-mail address is not a good password. Choose another one.",
};

/** What a security event of the account says; with a detail, what it says then. */
const EVENTS = {
  registered: "The account was created.",
  logged_in: "Logged in.",
  login_refused: "A login was refused.",
  refresh_refused: "A session could not be refreshed.",
  "refresh_refused dpop_proof_missing": "The cookie was used without its key and refused.",
  "refresh_refused dpop_proof_invalid": "The cookie was used with a wrong key and refused.",
  suspicious_use: "A session was used from two places in turn.",
  "suspicious_use browser": "A session was used by two browsers in turn within a minute.",
  "suspicious_use network": "A session was used from two networks in turn within a minute.",
  logged_out: "Logged out.",
  session_revoked: "A session was ended.",
  password_changed: "The password was changed.",
  password_reset_requested: "An operator made a link for a new password.",
  password_reset: "A new password was set by the link of a mail.",
  roles_changed: "The roles were changed.",
  account_disabled: "The account was disabled.",
  account_enabled: "The account was enabled.",
  account_unlocked: "The account was unlocked.",
  account_exported: "The data of the account was exported.",
  email_change_requested: "A change of the e-mail address was asked for.",
  email_changed: "The e-mail address was changed.",
  email_verified: "The e-mail address was verified.",
  mail_failed: "A mail could not be sent.",
};
const SIGN_OF_THEFT = /^(suspicious_use|refresh_refused dpop)/;

/**
 * Return what an event says, and whether it is a sign of a stolen cookie.
 *
 * @param {{ event: string, detail: string | null }} happened
 * @returns {{ words: string, isWarning: boolean }}
 */
export function eventSentence({ event, detail }) {
  const both = `${event} ${detail}`;
  return { words: EVENTS[both] ?? EVENTS[event] ?? event, isWarning: SIGN_OF_THEFT.test(both) };
}

/** @param {number} length */
export const tooShort = (length) =>
  `Use at least ${length} characters. A few words are easy to remember.`;

/** Return what is wrong with a member: `{ pointer, detail, code }`. */
function faultSentence({ code, detail }, input) {
  if (code === "too_short" && input.dataset.shortest) return tooShort(input.dataset.shortest);
  return FAULTS[code] ?? detail;
}

/** Return the sentence for an error as a whole. */
export function sentence({ code, message, retryAfter }) {
  if (code === "rate_limited") {
    return `Too many attempts. Try again ${retryAfter ? `in ${roughly(retryAfter)}` : "later"}.`;
  }
  if (code === "network_error" && !navigator.onLine) {
    return "You are offline. Try again when you are connected.";
  }
  if (code?.startsWith("refresh_token_")) return "Your session has ended. Log in again.";
  return PROBLEMS[code] ?? (code ? message : PROBLEMS.http_error);
}

/**
 * Sort an error into what belongs to the fields of a form, and the rest.
 *
 * @param {{ code: string, message: string, errors?: { pointer: string, detail: string }[] }} error
 * @param {HTMLFormElement} form its inputs are named as the members of the JSON body
 * @returns {{ fields: Map<HTMLInputElement, string>, rest: string }}
 */
export function sorted(error, form) {
  const fields = new Map();
  const rest = [];
  for (const fault of error.errors ?? []) {
    const input = form.elements[fault.pointer.split("/")[1]];
    if (input) fields.set(input, faultSentence(fault, input));
    else rest.push(fault.detail);
  }
  const [names, words] = OF_FIELDS[error.code] ?? [[]];
  const input = names.map((name) => form.elements[name]).find(Boolean);
  if (input) fields.set(input, words);
  if (!fields.size && !rest.length) rest.push(sentence(error));
  return { fields, rest: rest.join(" ") };
}
