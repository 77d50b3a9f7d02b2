"use client"; // the page is rendered in the browser, and the server's prerender shows "One moment"

import { App } from "../../react/src/App";
import { AuthProvider } from "../../react/src/auth";

export default function Page() {
  return (
    <AuthProvider>
      <App />
    </AuthProvider>
  );
}
