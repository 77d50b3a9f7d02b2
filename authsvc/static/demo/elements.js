// Elements with text. What a person or a program wrote becomes text, never HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Return an element of that name and class. */
export function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/**
 * Return the terms and the details of a definition list.
 *
 * @param {Record<string, string>} rows
 */
export function termsOf(rows) {
  return Object.entries(rows).flatMap(([name, value]) => [
    element("dt", "", name),
    element("dd", "", value),
  ]);
}

function icon(symbol) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "device");
  svg.setAttribute("aria-hidden", "true");
  const use = svg.appendChild(document.createElementNS(SVG, "use"));
  use.setAttribute("href", `#${symbol}`);
  return svg;
}

/**
 * Return an item of a list of things that a person can change.
 *
 * @param {string} symbol the id of its picture in the page
 * @param {string} title what it is
 * @param {{ badge?: string, lines: string[] }} words a word beside the title, and lines below it
 * @param {HTMLButtonElement} [button] what can be done with it
 */
export function listItem(symbol, title, { badge = "", lines }, button) {
  const heading = element("p", "title", title);
  if (badge) heading.append(" ", element("span", "badge", badge));
  const words = element("div", "words");
  words.append(heading, ...lines.map((line) => element("p", "quiet", line)));
  const item = document.createElement("li");
  item.append(icon(symbol), words, ...(button ? [button] : []));
  return item;
}

/**
 * Return a button.
 *
 * @param {string} text what it shows
 * @param {string} label its accessible name, which says more
 * @param {(button: HTMLButtonElement) => unknown} work what it does
 */
export function actionButton(text, label, work) {
  const button = element("button", "", text);
  button.type = "button";
  button.ariaLabel = label;
  button.addEventListener("click", () => work(button));
  return button;
}
