// The table of requests, newest first.

const MOST_ROWS = 60;

/** Add a request that `watch` has seen. */
export function logRequest({ method, path, answer, text, kind }) {
  const table = document.getElementById("log");
  const row = table.insertRow(0);
  row.role = "row"; // a narrow screen's CSS takes away the roles of a table
  const cells = [new Date().toLocaleTimeString(), `${method} ${path}`, answer, text];
  for (const textContent of cells) Object.assign(row.insertCell(), { role: "cell", textContent });
  row.cells[1].className = "mono";
  row.cells[2].className = kind;
  while (table.rows.length > MOST_ROWS) table.deleteRow(-1);
}
