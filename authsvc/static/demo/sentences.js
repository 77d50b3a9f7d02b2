// The errors of the service as sentences for people. A program decides by `code`; where this page
// has no sentence of its own, the service's `detail` is shown.

import { roughly } from "./times.js";

const PROBLEMS = {
  invalid_credentials: "The e-mail address or the password is wrong.",
  token_invalid: "This link does not work any more. Ask for another mail.",
  email_taken: "Another account has this address by now. Choose another address.",
  registration_closed: "This service does not take new accounts.",
  email_unverified: "Verify your address first: open the link in the mail that was sent to it.",
  reauthentication_required: "Nothing was changed, since you did not confirm that it is you.",
  factor_exists: "An authenticator app is set up already. Remove it first.",
  credential_refused: "The service did not accept this passkey. Try again, or use another device.",
  passkey_refused: "This passkey is not known here. Use another one, or your password.",
  passkey_exists: "This device has a passkey for your account already.",
  passkey_failed: "The browser could not use a passkey here.",
  copy_refused: "The browser does not allow this page to copy. Download them instead.",
  cancelled: "Nothing happened: the prompt of the browser was closed, or its time was up.",
  session_changed: "This session has ended in the meantime. Log in again.",
  not_found: "It was ended or removed already.",
  device_proof_missing: "This browser has lost the key of its session. Log in again.",
  dpop_proof_missing: "This browser has lost the key of its session. Log in again.",
  dpop_proof_invalid: "This browser has lost the key of its session. Log in again.",
  network_error: "The service cannot be reached. Check your connection and try again.",
  service_unavailable: "The service is busy. Nothing was changed: try again in a moment.",
  internal_error: "Something went wrong in the service. Try again in a moment.",
  http_error: "Something went wrong on the way to the service. Try again in a moment.",
};

const WRONG_CODE =
  "This code is wrong, or was used before. Check the clock of your phone, and enter the next code.";
const WRONG_PASSWORD = "This password is wrong.";

/** Problems that belong to a field, by the name of the field, if the form has it. */
const OF_FIELDS = {
  email_taken: { email: "This address already has an account. Log in, or use another address." },
  invalid_credentials: {
    registered_password: WRONG_PASSWORD,
    step_up_password: WRONG_PASSWORD,
    code: WRONG_CODE,
    recovery_code: "This recovery code is wrong, or was used before. Try another one.",
  },
  password_required: {
    registered_password: "Enter the password that you chose when you registered.",
  },
  wrong_code: { code: WRONG_CODE },
  wrong_password: {
    current_password: "This is not your current password.",
    password: "This is not your current password.",
  },
};

const FAULTS = {
  missing: "Fill this in.",
  invalid_email: "This is not an e-mail address. Check it for typing mistakes.",
  invalid_characters: "This contains characters that cannot be used here.",
  breached: "Attackers try this password first. Choose another one.",
  contains_email: "Your e-mail address is not a good password. Choose another one.",
};

/** An error of this page, not of the service. Its code has a sentence in PROBLEMS. */
export class PageError extends Error {
  /** @param {string} code */
  constructor(code) {
    super(PROBLEMS[code]);
    this.code = code;
  }
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
  for (const [name, words] of Object.entries(OF_FIELDS[error.code] ?? {})) {
    const input = form.elements[name];
    if (input?.required) fields.set(input, words); // else it is hidden
  }
  if (!fields.size && !rest.length) rest.push(sentence(error));
  return { fields, rest: rest.join(" ") };
}
