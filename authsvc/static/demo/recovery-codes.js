// Recovery codes are shown once. The page keeps them until the person has saved them.

import { element } from "./elements.js";
import { onClick, tell } from "./forms.js";
import { PageError } from "./sentences.js";
import { showPart } from "./tasks.js";

const $ = (id) => document.getElementById(id);

function download(text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = "recovery-codes.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}

/**
 * @param {() => string} email of the account
 * @param {(words: string) => Promise<void>} onSaved called when the person has saved them
 */
export function createRecoveryCodes(email, onSaved) {
  let codes = [];

  const text = () =>
    [`Recovery codes of ${email()} at ${location.host}.`, "Each works once.", "", ...codes, ""].join(
      "\n",
    );

  function forget() {
    codes = [];
    $("code-list").replaceChildren();
  }

  onClick("codes-download", "codes-error", () => {
    download(text());
    tell("codes-notice", "Downloaded as recovery-codes.txt.");
  });
  onClick("codes-copy", "codes-error", async () => {
    await navigator.clipboard.writeText(text()).catch(() => {
      throw new PageError("copy_refused");
    });
    tell("codes-notice", "Copied.");
  });
  onClick("codes-saved", "codes-error", async () => {
    forget();
    await onSaved("Your recovery codes are in force. Older ones no longer work.");
  });

  return {
    /** Show these codes, the only time that they are known. */
    show(issued) {
      codes = issued;
      const items = codes.map((code) => {
        const item = document.createElement("li");
        item.append(element("code", "", code));
        return item;
      });
      $("code-list").replaceChildren(...items);
      showPart("codes");
    },

    forget,
  };
}
