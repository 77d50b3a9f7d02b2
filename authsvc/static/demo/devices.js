// What a User-Agent header says about a device. It is only a name for people: any client can send
// any text.

// The first that fits counts: Edge also says Chrome, and Chrome also says Safari.
const BROWSERS = [
  [/\bEdg(e|A|iOS)?\//, "Edge"],
  [/\b(OPR|Opera)\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b((Headless)?Chrome|Chromium|CriOS)\//, "Chrome"],
  [/\bVersion\/.* Safari\//, "Safari"],
  [/\bcurl\//, "curl"],
];

const SYSTEMS = [
  [/\bWindows\b/, "Windows", "computer"],
  [/\biPhone\b/, "iPhone", "phone"],
  [/\biPad\b/, "iPad", "tablet"],
  [/\bAndroid\b.*\bMobile\b/, "Android", "phone"],
  [/\bAndroid\b/, "Android", "tablet"],
  [/\bCrOS\b/, "ChromeOS", "computer"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS", "computer"],
  [/\bLinux\b/, "Linux", "computer"],
];

const first = (list, text) => list.find(([pattern]) => pattern.test(text)) ?? [];

/**
 * Return a name such as "Firefox on Windows", and the kind of device: `computer`, `phone`,
 * `tablet` or `program`.
 *
 * @param {string | null} userAgent
 */
export function device(userAgent) {
  const text = userAgent ?? "";
  const [, browser] = first(BROWSERS, text);
  const [, system, kind = "program"] = first(SYSTEMS, text);
  const program = /^[\w.-]{1,30}(?=\/|$)/.exec(text)?.[0];
  const name = browser ?? (system || !program ? "Unknown browser" : program);
  return { name: system ? `${name} on ${system}` : name, kind };
}
