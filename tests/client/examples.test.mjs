// The examples of docs/browser.md, run in a document against the service.

import assert from "node:assert/strict";
import { StrictMode, createElement } from "react";
import { test } from "node:test";

import { JSDOM } from "jsdom";

import { PASSWORD, URL_OF_SERVICE, browser, newEmail, openTab, until } from "./browser.mjs";
import { codeOf, withAppOnAnotherDevice } from "./factors.mjs";
import { answerInstead } from "./network.mjs";

/** Make a page's globals, as far as the examples need them. */
function showPage(t, html, path = "/") {
  const { window } = new JSDOM(html, { url: URL_OF_SERVICE + path });
  for (const name of ["window", "document", "location", "history", "navigator", "FormData"]) {
    const kept = Object.getOwnPropertyDescriptor(globalThis, name) ?? { configurable: true };
    Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
    t.after(() => Object.defineProperty(globalThis, name, kept));
  }
  return window;
}

function logIn({ document, Event }, email, password) {
  const form = document.querySelector("form");
  form.querySelector("[name=email]").value = email;
  form.querySelector("[name=password]").value = password;
  form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
}

const load = (name) => import(`${process.env.AUTHSVC_EXAMPLES}/${name}`);

async function someone() {
  const email = newEmail();
  const tab = openTab();
  await tab.register(email, PASSWORD);
  tab.close();
  return email;
}

test("the plain example logs in, says who is there, and says why not", async (t) => {
  const email = await someone();
  const page = showPage(
    t,
    "<form id=login><input name=email><input name=password></form><p id=status></p>",
  );
  const status = page.document.querySelector("#status");
  await load("plain.js");
  logIn(page, email, "not the password");
  await until(() => /wrong/.test(status.textContent));
  logIn(page, email, PASSWORD);
  await until(() => status.textContent === `Logged in as ${email}`);
  assert.ok(page.document.querySelector("#login").hidden);
});

test("the example of a link sends its token, and removes it from the address", async (t) => {
  const page = showPage(t, "", "/verify-email#token=a-token-of-a-mail");
  let sent;
  answerInstead("/auth/email/verify", async (request) => {
    sent = await request.json();
    return new Response(null, { status: 204 });
  });
  await load("link.js");
  assert.deepEqual(sent, { token: "a-token-of-a-mail" });
  assert.equal(page.location.href, `${URL_OF_SERVICE}/verify-email`);
});

test("the example of second factors asks for the code of the app, and takes no for an answer", async (t) => {
  showPage(t, "");
  const { auth } = await load("factors.js");
  t.after(() => auth.close());
  const { email, secret } = await withAppOnAnotherDevice({ openPage: () => auth });
  const questions = [];
  globalThis.prompt = (question) => {
    questions.push(question);
    return questions.length === 1 ? null : codeOf(secret, 1);
  };
  t.after(() => delete globalThis.prompt);
  await assert.rejects(auth.factors.removeTotp(), { code: "reauthentication_required" });
  await auth.factors.removeTotp();
  assert.deepEqual(questions, Array(2).fill("The code of your app"));
  assert.equal(auth.user.email, email);
});

test("the React example renders on a server, and asks nothing there", async () => {
  delete globalThis.location;
  const { renderToString } = await import("react-dom/server");
  const { App, auth } = await load("react.js?on-a-server");
  assert.match(renderToString(createElement(App)), /One moment/);
  assert.equal(await auth.restore(), null);
  assert.equal(browser.sent.length, 0);
});

test("the React example logs in and out, and follows other tabs", async (t) => {
  const email = await someone();
  const page = showPage(t, "<div id=root></div>");
  const { createRoot } = await import("react-dom/client");
  const { App, auth } = await load("react.js");
  const root = createRoot(page.document.querySelector("#root"));
  t.after(() => root.unmount());
  root.render(createElement(StrictMode, null, createElement(App)));
  const shown = () => page.document.body.textContent;
  await until(() => browser.requests("/auth/refresh")[0]?.status === 401);
  await until(() => shown() === "Log in");
  logIn(page, email, "not the password");
  await until(() => /wrong/.test(shown()));
  logIn(page, email, PASSWORD);
  await until(() => shown() === `Log out ${email}`);
  page.document.querySelector("button").click();
  await until(() => /^Log in/.test(shown()));
  assert.equal(auth.user, null);
  await openTab().login(email, PASSWORD);
  await until(() => shown() === `Log out ${email}`);
});
