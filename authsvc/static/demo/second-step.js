// The second step of a login: the password was right, and the account has a second factor. The
// service keeps nothing between the steps, so the password is sent again, with the factor.

import { clear, onSubmit, tell } from "./forms.js";
import { passkeyFault } from "./passkeys.js";
import { createWays } from "./ways.js";

const $ = (id) => document.getElementById(id);
const WORDS = "The password is right. Now your second factor.";
const NONE =
  "The password is right, but no second factor of this account works any more. Only the operator " +
  "of this service can help.";

/**
 * @param {ReturnType<import("../static/authsvc.js").createAuth>} auth
 * @param {(form: string) => void} showForm shows one of the forms for people without a session
 */
export function createSecondStep(auth, showForm) {
  const form = $("second");
  const ways = createWays(form);
  let given;

  function forget() {
    given = undefined;
    ways.offer([]);
  }

  onSubmit("second", (values) =>
    ways.give(values, (factor) => auth.login(given.email, given.password, factor)),
  );
  form.querySelector("[data-shows]").addEventListener("click", forget);

  return {
    /** Ask for the second factor of a login. */
    ask(email, password, methods) {
      given = { email, password };
      clear($("login"));
      tell();
      form.elements.email.value = email;
      const isPossible = ways.offer(methods);
      const words = isPossible ? WORDS : `${WORDS} ${passkeyFault()}`;
      $("second-words").textContent = methods.length ? words : NONE;
      showForm("second");
      if (isPossible) ways.focus();
      else $("second-title").focus();
    },

    /** Forget the password: the person has logged in. */
    forget,
  };
}
