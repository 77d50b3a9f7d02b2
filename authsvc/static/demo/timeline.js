// The demo's timeline: the session, its access tokens, the refreshes and the requests.

const NS = "http://www.w3.org/2000/svg";
const LANES = ["Session", "Access token", "Refresh", "Requests"];

/** @param {SVGSVGElement} svg */
export function createTimeline(svg) {
  const sessions = [];
  const tokens = [];
  const marks = [];
  let life = 60_000;

  const last = (list) => (list.length && list.at(-1).to === undefined ? list.at(-1) : undefined);

  function add(parent, name, attributes, text) {
    const node = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  }

  function draw() {
    const now = performance.now();
    const width = svg.clientWidth;
    const narrow = width < 560;
    const left = narrow ? 8 : 112;
    const lane = narrow ? 52 : 46;
    const top = 14;
    const height = top + LANES.length * lane + 26;
    const past = life * (narrow ? 0.9 : 1.5);
    const from = now - past;
    const until = now + life * (narrow ? 0.75 : 1.05);
    const x = (at) => left + ((Math.min(Math.max(at, from), until) - from) / (until - from)) * (width - left - 8);
    const middle = (n) => top + n * lane + (narrow ? 32 : lane / 2);
    while (tokens.length > 400) tokens.shift();
    while (marks.length && (marks[0].at < from || marks.length > 600)) marks.shift();

    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.replaceChildren();
    add(svg, "rect", { class: "future", x: x(now), y: top, width: x(until) - x(now), height: height - top - 26 });
    LANES.forEach((name, n) => {
      add(svg, "line", { class: "rail", x1: left, x2: width - 8, y1: middle(n), y2: middle(n) });
      add(svg, "text", { class: "lane", x: narrow ? left : 0, y: narrow ? middle(n) - 16 : middle(n) + 4 }, name);
    });
    const step = [5, 10, 15, 30, 60, 120, 300].find((s) => (s * 1000 * width) / (until - from) > (narrow ? 62 : 84)) ?? 600;
    for (let s = -Math.floor(past / 1000 / step) * step; now + s * 1000 < until; s += step) {
      const at = now + s * 1000;
      if (s !== 0) add(svg, "line", { class: "tick", x1: x(at), x2: x(at), y1: top, y2: height - 26 });
      const label = s === 0 ? "now" : `${s > 0 ? "+" : "−"}${Math.abs(s)} s`;
      if (x(at) > left + 12 && x(at) < width - 24) {
        add(svg, "text", { class: s === 0 ? "time now" : "time", x: x(at), y: height - 6, "text-anchor": "middle" }, label);
      }
    }
    if (!sessions.some(({ to }) => to === undefined || to > from)) {
      const words = narrow ? "" : "Log in, and this fills as it happens";
      add(svg, "text", { class: "empty", x: x(now) - 14, y: middle(1) + 4, "text-anchor": "end" }, words);
    }
    for (const { from: a, to } of sessions) {
      if (to !== undefined && to < from) continue;
      bar(a, to ?? until, 0, "session", 16);
      if (to !== undefined) cross(x(to), middle(0), "bad");
    }
    for (const token of tokens) {
      const end = token.to ?? token.expires;
      if (end < from) continue;
      bar(token.from, end, 1, token.to === undefined && token.expires > now ? "token live" : "token", 22);
    }
    const current = last(tokens);
    if (current && current.expires > now && current.expires < until && !narrow) {
      add(svg, "text", { class: "note", x: x(current.expires) - 8, y: middle(1) + 4, "text-anchor": "end" }, "expires");
    }
    add(svg, "line", { class: "present", x1: x(now), x2: x(now), y1: top - 6, y2: height - 26 });
    for (const mark of marks) {
      const n = mark.lane === "refresh" ? 2 : 3;
      const y = middle(n) + mark.row * (narrow ? 0 : 5) - (narrow ? 0 : 7);
      const shift = narrow ? 0 : 7;
      if (mark.kind === "bad") cross(x(mark.at), y + shift, "bad");
      else if (mark.kind === "calm") add(svg, "circle", { class: "calm", cx: x(mark.at), cy: y + shift, r: 4.5 });
      else if (mark.kind === "lost") add(svg, "path", { class: "lost", d: `M${x(mark.at)} ${y + shift - 6}l6.5 11h-13z` });
      else add(svg, "circle", { class: mark.lane === "refresh" ? "refresh" : "good", cx: x(mark.at), cy: y + shift, r: 5 });
      if (mark.lane === "refresh" && mark.kind === "good") {
        add(svg, "line", { class: "lift", x1: x(mark.at), x2: x(mark.at), y1: middle(2) - 6, y2: middle(1) + 12 });
      }
    }

    function bar(a, b, n, name, thick) {
      const w = Math.max(2, x(b) - x(a) - 1.5);
      add(svg, "rect", { class: name, x: x(a), y: middle(n) - thick / 2, width: w, height: thick, rx: Math.min(6, w / 2) });
    }
    function cross(cx, cy, name) {
      add(svg, "path", { class: name, d: `M${cx - 5} ${cy - 5}l10 10m0 -10l-10 10` });
    }
  }

  return {
    draw,
    begin() {
      if (!last(sessions)) sessions.push({ from: performance.now() });
    },
    end() {
      const now = performance.now();
      for (const list of [sessions, tokens]) {
        const open = last(list);
        if (open) open.to = list === tokens ? Math.min(now, open.expires) : now;
      }
    },
    issued(seconds) {
      const now = performance.now();
      const open = last(tokens);
      if (open) open.to = Math.min(now, open.expires);
      life = seconds * 1000;
      tokens.push({ from: now, expires: now + life });
    },
    mark(lane, kind) {
      const at = performance.now();
      const row = marks.filter((m) => m.lane === lane && at - m.at < 500).length % 4;
      marks.push({ lane, kind, at, row: row === 0 ? 0 : row % 2 ? -row : row - 1 });
    },
    /** Seconds until the current access token expires; 0 without one. */
    left() {
      const open = last(tokens);
      return open ? Math.max(0, (open.expires - performance.now()) / 1000) : 0;
    },
  };
}
