// Forms: what is wrong stands beside the field it belongs to, and the button waits for the answer.

import { sentence, sorted, tooShort } from "./sentences.js";

const $ = (id) => document.getElementById(id);

/** Show in one place what just happened, and remove what happened before. */
export function tell(id = "", text = "") {
  for (const notice of document.querySelectorAll(".notice")) {
    notice.textContent = notice.id === id ? text : "";
  }
}

/**
 * Run work that was asked for with a button. While it runs the button does nothing; its error is
 * shown in the element `errorAt`. Resolves to undefined if the work failed.
 */
export async function attempt(errorAt, work, button) {
  if (button?.ariaDisabled === "true") return undefined;
  $(errorAt).textContent = "";
  if (button) button.ariaDisabled = "true";
  try {
    return await work();
  } catch (error) {
    $(errorAt).textContent = sentence(error);
    return undefined;
  } finally {
    if (button) button.ariaDisabled = null;
  }
}

/** @param {(event: { currentTarget: HTMLButtonElement }) => unknown} work */
export function onClick(id, errorAt, work) {
  $(id)?.addEventListener("click", ({ currentTarget }) => attempt(errorAt, work, currentTarget));
}

/** Do `work` with the values of a form when it is sent, and show its errors in the form. */
export function onSubmit(id, work) {
  const form = $(id);
  if (!form) return; // registration is closed, or the service sends no mail
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button:not([type])");
    attempt(`${id}-error`, () => send(form, work), button);
  });
  form.addEventListener("input", ({ target }) => mark(target, ""));
  for (const button of form.querySelectorAll("[data-reveals]")) {
    const input = $(button.dataset.reveals);
    button.addEventListener("click", () => reveal(button, input.type === "password"));
  }
}

async function send(form, work) {
  for (const button of form.querySelectorAll("[data-reveals]")) reveal(button, false);
  const inputs = [...form.querySelectorAll("input[required]")];
  if (show(form, new Map(inputs.map((input) => [input, missing(input)])))) return;
  try {
    await work(Object.fromEntries(new FormData(form)));
  } catch (error) {
    const { fields, rest } = sorted(error, form);
    show(form, fields);
    $(`${form.id}-error`).textContent = rest;
  }
}

/** Return what can be seen without asking the service, or nothing. */
function missing(input) {
  const { value } = input;
  if (!value) return input.dataset.missing;
  if (input.type === "email" && !/.@./.test(value)) {
    return "This is not an e-mail address: it needs an @.";
  }
  const length = [...value.normalize("NFC")].length; // as the service counts
  return length < (input.dataset.shortest ?? 0) ? tooShort(input.dataset.shortest) : "";
}

/** Mark the fields, and go to the first that is wrong. Returns whether there is one. */
function show(form, faults) {
  for (const [input, text] of faults) mark(input, text);
  const wrong = form.querySelector("[aria-invalid]");
  wrong?.focus();
  return Boolean(wrong);
}

function mark(input, text) {
  $(`${input.id}-fault`).textContent = text;
  input.ariaInvalid = text ? "true" : null;
}

/** Forget what was typed into a form, and what was wrong with it. */
export function clear(form) {
  form.reset();
  for (const button of form.querySelectorAll("[data-reveals]")) reveal(button, false);
  for (const input of form.querySelectorAll("input[required]")) mark(input, "");
  $(`${form.id}-error`).textContent = "";
}

function reveal(button, visible) {
  $(button.dataset.reveals).type = visible ? "text" : "password";
  button.textContent = visible ? "Hide" : "Show";
  button.ariaLabel = `${button.textContent} the characters`;
}
