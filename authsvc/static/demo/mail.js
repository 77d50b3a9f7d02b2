// What the demo does by mail: a forgotten password, the proof of an address, and its change. The
// service sends no mail if it has no settings for it; then the page has none of these forms.

import { clear, onClick, onSubmit, tell } from "./forms.js";

const $ = (id) => document.getElementById(id);

/**
 * @param {ReturnType<import("../static/authsvc.js").createAuth>} auth
 * @param {(form: string) => void} showForm shows one of the forms for people without a session
 */
export function createMail(auth, showForm) {
  let sendAgain;

  /** Say that a mail was sent, instead of the forms. */
  function sent(words, again) {
    sendAgain = again;
    $("sent-words").textContent = words;
    showForm("sent");
    $("sent-title").focus();
  }

  onSubmit("forgot", async ({ email }) => {
    const ask = () => auth.forgotPassword(email);
    await ask();
    sent(`If ${email} has an account, a mail with a link for a new password is on its way.`, ask);
  });
  onSubmit("sent", async () => {
    await sendAgain();
    tell("sent-notice", "Asked again. Within some minutes the service sends no second mail.");
  });
  onSubmit("change-email", async ({ email }) => {
    await auth.changeEmail(email);
    clear($("change-email"));
    tell("change-email-notice", `A mail with a link is on its way to ${email}.`);
  });
  onClick("resend", "person-error", async () => {
    await auth.resendVerification(auth.user.email);
    tell("person-notice", "Asked again. Within some minutes the service sends no second mail.");
  });

  return {
    /** The account begins with the link of a mail. */
    registered(email) {
      const next = "Your account begins when you open its link and enter your password.";
      sent(`A mail is on its way to ${email}. ${next}`, () => auth.resendVerification(email));
    },

    /** The account must prove its address before it can log in. */
    unverified(email) {
      const next = "Open the link in the mail that was sent to it.";
      const words = `The address ${email} is not verified yet. ${next}`;
      sent(words, () => auth.resendVerification(email));
    },

    /** Show whether the address is verified. */
    show(user) {
      if (!$("verification")) return;
      $("verification").hidden = user?.emailVerified ?? true;
      $("verified").hidden = !user?.emailVerified;
    },
  };
}
