// The security events of the account as sentences for people.

/** What a security event of the account says; with a detail, what it says then. */
const EVENTS = {
  registered: "The account was created.",
  logged_in: "Logged in.",
  "logged_in pwd": "Logged in with the password.",
  "logged_in pwd otp mfa": "Logged in with the password and a code.",
  "logged_in pwd hwk mfa": "Logged in with the password and a passkey.",
  "logged_in pwd swk mfa": "Logged in with the password and a passkey.",
  "logged_in hwk mfa": "Logged in with a passkey.",
  "logged_in swk mfa": "Logged in with a passkey.",
  login_refused: "A login was refused.",
  "login_refused wrong_code": "A login was refused: the password was right, the code was wrong.",
  "login_refused wrong_recovery_code":
    "A login was refused: the password was right, the recovery code was wrong.",
  "login_refused passkey_refused": "A login was refused: the passkey was not accepted.",
  "login_refused challenge_used": "A login was refused: a passkey's answer was sent twice.",
  "login_refused sign_count_went_back": "A passkey was refused: it may have been copied.",
  reauthenticated: "You confirmed that it was you.",
  reauthentication_refused: "A confirmation before a change was refused.",
  refresh_refused: "A session could not be refreshed.",
  device_bound: "The session was bound to this device.",
  "refresh_refused device_proof_missing": "The cookie was used without its device and refused.",
  "refresh_refused dpop_proof_missing": "The cookie was used without its key and refused.",
  "refresh_refused dpop_proof_invalid": "The cookie was used with a wrong key and refused.",
  suspicious_use: "A session was used from two places in turn.",
  "suspicious_use browser": "A session was used by two browsers in turn within a minute.",
  "suspicious_use network": "A session was used from two networks in turn within a minute.",
  logged_out: "Logged out.",
  session_revoked: "A session was ended.",
  password_changed: "The password was changed.",
  password_reset_requested: "An operator made a link for a new password.",
  password_reset: "A new password was set by the link of a mail.",
  roles_changed: "The roles were changed.",
  account_disabled: "The account was disabled.",
  account_enabled: "The account was enabled.",
  account_unlocked: "The account was unlocked.",
  account_exported: "The data of the account was exported.",
  email_change_requested: "A change of the e-mail address was asked for.",
  email_changed: "The e-mail address was changed.",
  email_verified: "The e-mail address was verified.",
  factor_added: "A second factor was added.",
  "factor_added totp": "An authenticator app was set up.",
  "factor_added passkey": "A passkey was added.",
  factor_removed: "A second factor was removed.",
  "factor_removed totp": "The authenticator app was removed.",
  "factor_removed passkey": "A passkey was removed.",
  recovery_codes_replaced: "New recovery codes were made.",
  recovery_code_used: "A recovery code was used.",
  mail_failed: "A mail could not be sent.",
};
const SIGN_OF_THEFT = /^(suspicious_use|refresh_refused d\w+_proof|login_refused sign_count)/;

/**
 * Return what an event says, and whether it is a sign of theft.
 *
 * @param {{ event: string, detail: string | null }} happened
 * @returns {{ words: string, isWarning: boolean }}
 */
export function eventSentence({ event, detail }) {
  const both = `${event} ${detail}`;
  return { words: EVENTS[both] ?? EVENTS[event] ?? event, isWarning: SIGN_OF_THEFT.test(both) };
}
