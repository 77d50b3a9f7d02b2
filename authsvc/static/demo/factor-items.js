// The items of the list of factors.

import { actionButton, listItem } from "./elements.js";
import { fromNow, when } from "./times.js";

const FEW = 3;
const WHY_APP = "An app on your phone shows a code, which you enter after your password.";
const WHY_PASSKEY = "Log in by your fingerprint, your face or the PIN of your device.";

/**
 * Return the items.
 *
 * @param {{ totp: object, recovery_codes: object, passkeys: object[] }} factors
 * @param {{ app: boolean, passkey: boolean }} may what can be added here
 * @param {Record<string, Function>} actions
 */
export function factorItems({ totp, recovery_codes, passkeys }, may, actions) {
  const items = [];
  if (totp.enabled || may.app) items.push(appItem(totp, actions));
  items.push(...passkeys.map((passkey) => passkeyItem(passkey, actions)));
  if (may.passkey) items.push(newPasskeyItem(passkeys, actions));
  if (totp.enabled || passkeys.length) items.push(codesItem(recovery_codes, actions));
  return items;
}

function appItem({ enabled, since }, { setUpApp, removeApp }) {
  const name = "Authenticator app";
  if (!enabled) {
    const button = actionButton("Set up", "Set up an authenticator app", setUpApp);
    return listItem("code", name, { lines: [WHY_APP] }, button);
  }
  const button = actionButton("Remove", "Remove the authenticator app", removeApp);
  return listItem("code", name, { badge: "on", lines: [`Since ${when(since)}.`] }, button);
}

function passkeyItem(passkey, { removePasskey }) {
  const { name, synced, last_used_at } = passkey;
  const use = last_used_at ? `Last used ${fromNow(Date.parse(last_used_at))}.` : "Not used yet.";
  const place = synced ? "Synced between your devices." : "Kept by one device.";
  const button = actionButton("Remove", `Remove the passkey ${name}`, () => removePasskey(passkey));
  return listItem("passkey-icon", name, { badge: "passkey", lines: [`${place} ${use}`] }, button);
}

function newPasskeyItem(passkeys, { addPasskey }) {
  const button = actionButton("Add", "Add a passkey", addPasskey);
  button.id = "add-passkey";
  const [title, lines] = passkeys.length ? ["Another passkey", []] : ["Passkey", [WHY_PASSKEY]];
  return listItem("passkey-icon", title, { lines }, button);
}

function codesItem({ left }, { makeCodes, replaceCodes }) {
  const badge = left <= FEW ? `${left} left` : "";
  const words = left
    ? `${left} left. Each stands in for a lost factor, once.`
    : "With none, a lost factor locks you out.";
  const button = left
    ? actionButton("Replace", "Replace the recovery codes", replaceCodes)
    : actionButton("Make", "Make recovery codes", makeCodes);
  return listItem("paper", "Recovery codes", { badge: left ? "" : badge, lines: [words] }, button);
}
