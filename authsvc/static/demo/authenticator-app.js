// Set up an authenticator app: the secret as a picture and as text, and the first code.

import { clear, onSubmit } from "./forms.js";
import { showPart } from "./tasks.js";

const $ = (id) => document.getElementById(id);

/**
 * Return the picture of the secret. The Content-Security-Policy allows no data: URL, so the SVG
 * becomes elements of the page. The parser runs no script.
 */
function picture(svg) {
  const { documentElement } = new DOMParser().parseFromString(svg, "image/svg+xml");
  const made = document.importNode(documentElement, true);
  made.role = "img";
  made.ariaLabel = "QR code of the secret";
  return made;
}

/**
 * @param {{ beginTotp: () => Promise<object>, confirmTotp: (code: string) => Promise<string[]> }}
 *   factors of the client
 * @param {(codes: string[]) => void} onCodes called with the recovery codes when the app is set up
 */
export function createAppSetup({ beginTotp, confirmTotp }, onCodes) {
  function forget() {
    clear($("app"));
    $("qr").replaceChildren();
    $("secret").textContent = "";
    $("app-link").removeAttribute("href");
  }

  onSubmit("app", async ({ code }) => {
    const codes = await confirmTotp(code);
    forget();
    onCodes(codes);
  });

  return {
    /** Ask for a secret, and show it. */
    async start() {
      const { secret, uri, qr_svg } = await beginTotp();
      $("qr").replaceChildren(picture(qr_svg));
      $("secret").textContent = secret.match(/.{1,4}/g).join(" ");
      $("app-link").href = uri;
      showPart("app");
    },

    forget,
  };
}
