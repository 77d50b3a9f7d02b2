// The pages that the links of mails lead to. Opening one uses nothing up: the token is sent when
// the person asks for it. It is kept in this module alone, and not in the address bar.

import { createAuth, takeToken } from "../static/authsvc.js";
import { clear, onSubmit, tell } from "./forms.js";

const $ = (id) => document.getElementById(id);
const { page } = document.body.dataset;
const auth = createAuth({ baseUrl: new URL("..", import.meta.url).href, bind: true });
let token = "";

/** What each page says: before, and when it is done. */
const WORDS = {
  "reset-password": {
    form: "reset",
    before: () => "Every device on which the account is logged in will be logged out.",
    title: "Your password is changed",
    after: "Every session of the account has ended. Log in with the new password.",
  },
  "verify-email": {
    form: "verify",
    before: (user) =>
      user
        ? `You are logged in as ${user.email}.`
        : "Your password proves that it was you who registered.",
    title: "Your address is verified",
    after: "You can log in with it.",
  },
  "change-email": {
    form: "confirm",
    before: () => "From then on you log in with the address that received this mail.",
    title: "Your address is changed",
    after: "Log in with the new address from now on.",
  },
};
const words = WORDS[page];
const heading = $("title").textContent;

/** Show one form, or none, and say what it is for. */
function show(form, title, text) {
  for (const other of document.forms) {
    clear(other);
    other.hidden = other.id !== form;
  }
  $("next").hidden = Boolean(form);
  $("inbox")?.setAttribute("hidden", "");
  $("title").textContent = title;
  $("words").textContent = text;
}

async function start() {
  token = takeToken() ?? "";
  if (!token) {
    offerAnother("This page needs a link", "Open the link in the mail that you received.");
    return;
  }
  const user = await auth.restore().catch(() => null);
  for (const form of document.forms) {
    form.elements.username?.setAttribute("value", user?.email ?? ""); // for password managers
  }
  show(words.form, heading, words.before(user));
  if (page === "verify-email") askForPassword(!user);
}

function askForPassword(is) {
  $("with-password").hidden = !is;
  $("password").required = is;
}

/** The link does not work, or there is none. */
function offerAnother(title, text) {
  const how = $("another") ? "Ask for another mail here." : "Log in, and ask for the change again.";
  show($("another")?.id, title, `${text} ${how}`);
}

/** Run work with the token, and say what came of it. */
const withToken = (work) => async (values) => {
  try {
    await work(values);
  } catch (error) {
    if (error.code === "password_required") askForPassword(true);
    if (error.code !== "token_invalid") throw error;
    token = "";
    const why = "It was used, replaced by a newer one, or has expired.";
    offerAnother("This link does not work", why);
    $("title").focus();
    return;
  }
  token = "";
  show(undefined, words.title, words.after);
  $("next").textContent = auth.user ? "Go to the demo" : "Log in";
  $("title").focus();
};

onSubmit("reset", withToken(({ new_password }) => auth.resetPassword(token, new_password)));
onSubmit(
  "verify",
  withToken(({ registered_password: password }) => auth.verifyEmail(token, password || undefined)),
);
onSubmit("confirm", withToken(() => auth.confirmEmailChange(token)));
onSubmit("another", async ({ email }) => {
  const ask = page === "reset-password" ? auth.forgotPassword : auth.resendVerification;
  await ask(email);
  const about = page === "reset-password" ? "has an account" : "waits to be verified";
  tell("another-notice", `If this address ${about}, a mail is on its way to it.`);
  $("inbox")?.removeAttribute("hidden");
});

addEventListener("hashchange", () => location.hash.includes("token=") && start());
start();
