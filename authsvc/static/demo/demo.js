// The demo page of authsvc.js: what happens at load, and what each form and button does.
// No token is kept here: `auth` has it, in memory.

import { AuthError, createAuth } from "../static/authsvc.js";
import { withFactors } from "../static/authsvc-factors.js";
import { showBinding, showCommand } from "./binding.js";
import { createFactors } from "./factors.js";
import { clear, onClick, onSubmit, tell } from "./forms.js";
import { runTimeline } from "./live.js";
import { createMail } from "./mail.js";
import { createPage } from "./page.js";
import { createPasskeyLogin } from "./passkeys.js";
import { logRequest } from "./request-log.js";
import { createSecondStep } from "./second-step.js";
import { sentence } from "./sentences.js";
import { createSessionList } from "./sessions.js";
import { createStepUp } from "./step-up.js";
import { when } from "./times.js";
import { watch } from "./wire.js";

const $ = (id) => document.getElementById(id);

watch((request) => {
  live.seen(request);
  logRequest(request);
  page.connected(request.kind !== "lost");
});
const baseUrl = new URL("..", import.meta.url).href;
const stepUp = createStepUp((given) => auth.reauthenticate(given));
const auth = withFactors(createAuth({ baseUrl, bind: true }), { onReauthenticate: stepUp.ask });
const live = runTimeline(auth);
const sessions = createSessionList(auth, leaving);
const factors = createFactors(auth, sessions.load);
const page = createPage({ onPerson, onEntrance });
const mail = createMail(auth, page.showForm);
const passkeyLogin = createPasskeyLogin(auth);
const secondStep = createSecondStep(auth, page.showForm);

function onPerson() {
  forget();
  passkeyLogin.stop();
  sessions.load();
  factors.load();
}

function onEntrance() {
  forget();
  live.end();
  passkeyLogin.suggest();
}

/** Forget what was asked of, and shown to, the person before. */
function forget() {
  stepUp.close();
  secondStep.forget();
  factors.reset();
}

function show(user) {
  page.show(user);
  mail.show(user);
  showBinding(auth.bound);
  if (user) factors.refresh();
}

/** End the session because the person asked for it, and say so. */
async function leaving(words, work) {
  page.farewell(words);
  try {
    await work();
  } finally {
    if (auth.user) page.farewell();
  }
}

onSubmit("register", async ({ email, password }) => {
  if (await auth.register(email, password)) await auth.login(email, password);
  else mail.registered(email);
});
onSubmit("login", async ({ email, password }) => {
  try {
    await auth.login(email, password);
  } catch (error) {
    if (error.code === "second_factor_required") secondStep.ask(email, password, error.methods);
    else if (error.code === "email_unverified") mail.unverified(email);
    else throw error;
  }
});
onSubmit("change", async ({ current_password, new_password }) => {
  await auth.changePassword(current_password, new_password);
  clear($("change"));
  showBinding(auth.bound);
  tell("change-notice", "The password is changed. Every other session has ended.");
  await sessions.load();
});
onSubmit("delete", ({ password }) =>
  leaving("The account and its data are deleted.", () => auth.deleteAccount(password)),
);
onClick("logout", "person-error", () => leaving("You are logged out.", () => auth.logout()));
onClick("logout-everywhere", "person-error", () =>
  leaving("You are logged out on every device.", () => auth.logoutEverywhere()),
);
onClick("who", "person-error", async () => {
  const response = await auth.fetch("api/me");
  const body = await response.json();
  if (!response.ok) throw new AuthError(body.code, response.status, body.detail);
  page.showDetails({ id: body.id, since: when(body.created_at) });
});
onClick("reload", "sessions-error", sessions.load);
onClick("retry", "waiting-error", restore);

/** Find out whether there is a session. Until that is known, neither form nor account is shown. */
async function restore() {
  page.waiting();
  try {
    show(await auth.restore());
  } catch (error) {
    page.notKnown(sentence(error)); // the client tries again when the browser is back online
  }
}

showCommand(baseUrl);
auth.onChange(show);
restore();
