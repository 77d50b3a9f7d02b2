// The ways in which a person can prove who they are: one at a time, with links to the others.

import { clear } from "./forms.js";
import { passkeyFault } from "./passkeys.js";
import { PageError } from "./sentences.js";

/** What the functions of the client take for each way. */
const GIVEN = {
  password: ({ step_up_password }) => ({ password: step_up_password }),
  totp: ({ code }) => ({ code }),
  recovery_code: ({ recovery_code }) => ({ recoveryCode: recovery_code }),
  passkey: () => ({ passkey: true }),
};

/** @param {HTMLFormElement} form with parts `data-way`, links `data-takes` and a button `data-go` */
export function createWays(form) {
  const go = form.querySelector("[data-go]");
  let offered = [];
  let chosen;

  function take(way) {
    clear(form);
    chosen = way;
    for (const part of form.querySelectorAll("[data-way]")) {
      part.hidden = part.dataset.way !== way;
      for (const input of part.querySelectorAll("input")) input.required = !part.hidden;
    }
    for (const link of form.querySelectorAll("[data-takes]")) {
      const { takes } = link.dataset;
      link.hidden = takes === way || !offered.includes(takes);
    }
    go.hidden = !way;
    go.textContent = way === "passkey" ? go.dataset.passkeyWords : go.dataset.words;
  }

  function focus() {
    (form.querySelector("[data-way]:not([hidden]) input") ?? go).focus();
  }

  for (const link of form.querySelectorAll("[data-takes]")) {
    link.addEventListener("click", () => {
      take(link.dataset.takes);
      focus();
      if (link.dataset.takes === "passkey") form.requestSubmit(); // there is nothing to type
    });
  }
  return {
    /**
     * Offer these ways, as far as this browser can, in the order of the form. The first is chosen.
     *
     * @returns {boolean} whether there is one; without, the form has nothing to send
     */
    offer(methods) {
      const parts = [...form.querySelectorAll("[data-way]")].map((part) => part.dataset.way);
      const can = (way) => methods.includes(way) && (way !== "passkey" || !passkeyFault());
      offered = parts.filter(can);
      take(offered[0]);
      return offered.length > 0;
    },

    focus,

    /**
     * Run `work` with what the person gave, as the client takes it. A passkey that the service
     * refuses is not a wrong password.
     */
    async give(values, work) {
      try {
        return await work(GIVEN[chosen](values));
      } catch (error) {
        if (chosen === "passkey" && error.code === "invalid_credentials") {
          throw new PageError("passkey_refused");
        }
        throw error;
      }
    },
  };
}
