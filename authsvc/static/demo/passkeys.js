// Passkeys: whether this browser has them here, and how to log in with one.

import { onClick } from "./forms.js";
import { PageError, sentence } from "./sentences.js";

const $ = (id) => document.getElementById(id);

/** Return why this page cannot use passkeys (WebAuthn), or nothing. */
export function passkeyFault() {
  if (!globalThis.PublicKeyCredential) return "This browser has no passkeys.";
  const isAddress = /^[\d.]+$|^\[/.test(location.hostname);
  return isAddress ? "Passkeys need a host name: open this page at localhost." : "";
}

/**
 * Offer to log in with a passkey: by a button, and by the suggestions of the address field.
 *
 * @param {ReturnType<import("../static/authsvc-factors.js").withFactors>} auth
 */
export function createPasskeyLogin(auth) {
  let waiting; // while the browser may suggest a passkey

  async function logIn(calling) {
    try {
      await auth.loginWithPasskey(calling);
    } catch (error) {
      throw error.code === "invalid_credentials" ? new PageError("passkey_refused") : error;
    }
  }

  function stop() {
    waiting?.abort();
    waiting = undefined;
  }

  /**
   * Let the browser suggest passkeys while the form is shown. Only what the service says about one
   * that was chosen is an error for the person.
   */
  async function suggest() {
    stop();
    if (auth.user || $("entrance").hidden || $("login").hidden || passkeyFault()) return;
    const { signal } = (waiting = new AbortController());
    try {
      await logIn({ autofill: true, signal });
    } catch (error) {
      const isRefused = error.code === "passkey_refused";
      if (signal.aborted || !(isRefused || error.status === 403 || error.status === 429)) return;
      $("login-error").textContent = sentence(error);
      if (isRefused) suggest();
    }
  }

  $("login-passkey").hidden = Boolean(passkeyFault());
  onClick("login-passkey", "login-error", async () => {
    stop();
    try {
      await logIn();
    } catch (error) {
      suggest();
      throw error;
    }
  });
  new MutationObserver(suggest).observe($("login"), { attributeFilter: ["hidden"] });
  return { suggest, stop };
}
