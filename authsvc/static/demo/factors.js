// The factors of the account: the list, and what a person can do with each of them.

import { createAppSetup } from "./authenticator-app.js";
import { device } from "./devices.js";
import { factorItems } from "./factor-items.js";
import { attempt, clear, onSubmit, tell } from "./forms.js";
import { passkeyFault } from "./passkeys.js";
import { createRecoveryCodes } from "./recovery-codes.js";
import { ask, showPart } from "./tasks.js";

const $ = (id) => document.getElementById(id);
const GONE = "It was removed already, in another tab or on another device.";

/**
 * @param {ReturnType<import("../static/authsvc-factors.js").withFactors>} auth
 * @param {() => Promise<void>} onChange called when a factor has changed
 */
export function createFactors(auth, onChange) {
  const codes = createRecoveryCodes(() => auth.user.email, done);
  const app = createAppSetup(auth.factors, codes.show);
  let known; // the factors, when the service has told them

  const actions = {
    setUpApp: (button) => attempt("list-error", () => app.start().catch(loadAgain), button),
    removeApp: () => askToRemove("the authenticator app", () => auth.factors.removeTotp()),
    makeCodes: (button) => attempt("list-error", makeCodes, button),
    replaceCodes: () =>
      ask(
        { title: "Make new recovery codes?", words: "The old ones stop working.", go: "Make them" },
        makeCodes,
      ),
    addPasskey() {
      $("passkey-name").value = device(navigator.userAgent).name;
      showPart("passkey");
    },
    removePasskey: ({ id, name }) =>
      askToRemove(`the passkey “${name}”`, () => auth.factors.removePasskey(id)),
  };

  async function load() {
    const owner = auth.user?.id;
    const factors = await attempt("list-error", () => auth.factors.list());
    if (!factors || auth.user?.id !== owner) return;
    known = factors;
    show();
  }

  function show() {
    const isUnverified = $("verification") && !auth.user.emailVerified;
    const may = {
      app: !$("no-totp") && !isUnverified,
      passkey: !passkeyFault() && !isUnverified,
    };
    $("unverified-words").hidden = !isUnverified;
    $("list-words").textContent = summary(known);
    $("factor-list").replaceChildren(...factorItems(known, may, actions));
  }

  /** Show the list again after a task, and what was done. */
  async function done(words) {
    showPart("list");
    tell("list-notice", words);
    await Promise.all([load(), onChange()]);
  }

  async function loadAgain(error) {
    if (error.code === "factor_exists") await load();
    throw error;
  }

  async function makeCodes() {
    codes.show(await auth.factors.replaceRecoveryCodes());
  }

  function askToRemove(what, work) {
    const words = isLast(known)
      ? "Then your password alone is enough again, and your recovery codes stop working."
      : "Your other factors stay as they are.";
    ask({ title: `Remove ${what}?`, words, go: "Remove" }, async () => {
      try {
        await work();
      } catch (error) {
        if (error.code !== "not_found") throw error;
        await done(GONE);
        return;
      }
      await done(`Removed: ${what}.`);
    });
  }

  onSubmit("passkey", async ({ name }) => {
    await auth.factors.addPasskey(name);
    clear($("passkey"));
    await done(`The passkey “${name}” is added. Next time you can log in with it alone.`);
  });
  $("no-passkeys").textContent = passkeyFault();
  $("no-passkeys").hidden = !passkeyFault();

  return {
    load,

    /** The account has changed: its address may be verified now. */
    refresh() {
      if (known) show();
    },

    /** Forget what was shown: the session is over. */
    reset() {
      known = undefined;
      codes.forget();
      app.forget();
      $("factor-list").replaceChildren();
      showPart("list", { withFocus: false });
    },
  };
}

const isLast = ({ totp, passkeys }) => (totp.enabled ? 1 : 0) + passkeys.length === 1;

function summary({ totp, passkeys }) {
  if (passkeys.length) return "A passkey is enough. Your password needs a second factor.";
  if (totp.enabled) return "With your password, and a second factor.";
  return "Your password is enough. With a second factor, a person who learns it cannot log in.";
}
