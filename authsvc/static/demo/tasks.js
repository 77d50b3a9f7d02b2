// The section of factors shows a list. A task takes its place until it is done or cancelled.

import { clear, onSubmit, tell } from "./forms.js";

const $ = (id) => document.getElementById(id);
let confirmed; // what the form `sure` does

/** Show one part of the section: the list, or a task. */
export function showPart(id, { withFocus = true } = {}) {
  if (id !== "list") tell();
  for (const part of $("factors").children) part.hidden = part.id !== id;
  if (withFocus) $(`${id}-title`).focus();
}

/**
 * Ask whether the person is sure, and then do `work`, which shows what comes next.
 *
 * @param {{ title: string, words: string, go: string }} text `go` is on the button
 */
export function ask({ title, words, go }, work) {
  clear($("sure"));
  $("sure-title").textContent = title;
  $("sure-words").textContent = words;
  $("sure-go").textContent = go;
  confirmed = work;
  showPart("sure");
}

onSubmit("sure", () => confirmed());
for (const button of document.querySelectorAll("#factors [data-back]")) {
  button.addEventListener("click", () => {
    clear(button.form);
    showPart("list");
  });
}
