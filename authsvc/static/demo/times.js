// Spans of time in words for people.

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });

/** Return the largest unit that fits in that many seconds, and how many of it: [3, "hour"]. */
function inUnits(seconds) {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? UNITS.at(-1);
  return [Math.round(seconds / size), unit];
}

/** "3 hours", "1 day". */
export function roughly(seconds) {
  const [count, unit] = inUnits(seconds);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** "3 hours ago", "in 6 days", measured from the clock of this computer. */
export function fromNow(date) {
  const seconds = (date - Date.now()) / 1_000;
  const [count, unit] = inUnits(Math.abs(seconds));
  return relative.format(seconds < 0 ? -count : count, unit);
}

/** "42 s", "9 min 5 s", "2 h 10 min". */
export function countdown(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** A tick of the timeline, in the unit of its steps: "30 s ago", "in 5 min", "now". */
export function tick(seconds, step) {
  if (seconds === 0) return "now";
  const span = Math.abs(seconds);
  const words = step < 60 ? `${span} s` : `${span / 60} min`;
  return seconds < 0 ? `${words} ago` : `in ${words}`;
}

/** "24 Nov, 20:28", in the language of the browser. */
export function when(time) {
  const options = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return new Date(time).toLocaleString(undefined, options);
}
