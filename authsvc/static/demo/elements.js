// Elements with text. What a person or a program wrote becomes text, never HTML.

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
