// Before a sensitive change the service may ask who it is: one dialog for all requests that wait.

import { onSubmit } from "./forms.js";
import { passkeyFault } from "./passkeys.js";
import { createWays } from "./ways.js";

const $ = (id) => document.getElementById(id);
const BY_PASSWORD =
  "This change needs your password once more, since your last login is too long ago.";
const BY_FACTOR = "This change needs your second factor.";

/** @param {(given: object) => Promise<unknown>} reauthenticate sends what the person gave */
export function createStepUp(reauthenticate) {
  const [dialog, form] = [$("step-up-dialog"), $("step-up")];
  const ways = createWays(form);
  let isDone = false;

  function offer(methods) {
    const isPossible = ways.offer(methods);
    const isByPassword = methods.includes("password");
    const words = isByPassword ? BY_PASSWORD : BY_FACTOR;
    $("step-up-words").textContent = isPossible ? words : `${words} ${passkeyFault()}`;
    $("step-up-lost").hidden = isByPassword;
  }

  onSubmit("step-up", async (values) => {
    try {
      await ways.give(values, reauthenticate);
    } catch (error) {
      if (error.code !== "second_factor_required") throw error;
      offer(error.methods); // it was added elsewhere, while the dialog was open
      ways.focus();
      return;
    }
    isDone = true;
    dialog.close();
  });
  $("step-up-cancel").addEventListener("click", () => dialog.close());

  return {
    /** Ask the person. Resolves to whether they have proved who they are; they may cancel. */
    ask({ methods }) {
      isDone = false;
      offer(methods);
      dialog.showModal();
      ways.focus();
      const closed = (resolve) =>
        dialog.addEventListener("close", () => resolve(isDone), { once: true });
      return new Promise(closed).finally(() => ways.offer([]));
    },

    /** The session is over: there is nothing to confirm. */
    close() {
      dialog.close();
    },
  };
}
