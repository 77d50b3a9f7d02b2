// Draws the timeline as SVG. Every length follows the size of the text, which the person chooses.

import { tick } from "./times.js";

const SVG = "http://www.w3.org/2000/svg";
const LANES = ["Session", "Access token", "Refresh", "Requests"];
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600];
const USUAL_TEXT = 16; // pixels; the lengths below are for this size
const LEAST_WIDTH = 160; // narrower than this, it is hidden or not laid out yet

/**
 * @param {SVGSVGElement} svg
 * @param {{ sessions: object[], tokens: object[], marks: object[], life: number }} model
 * @param {number} now milliseconds, as all times
 */
export function draw(svg, model, now) {
  const width = svg.clientWidth;
  if (width < LEAST_WIDTH) return;
  const unit = parseFloat(getComputedStyle(svg).fontSize) / USUAL_TEXT;
  const view = layout(width, unit, model.life, now);
  svg.setAttribute("viewBox", `0 0 ${width} ${view.height}`);
  svg.setAttribute("height", view.height);
  svg.replaceChildren();
  const add = (name, attributes, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    svg.append(node);
  };
  drawGround(add, view, now);
  drawSessions(add, view, model.sessions);
  drawTokens(add, view, model.tokens, now);
  add("line", { class: "present", ...vertical(view.x(now), view.top - 6 * unit, view.bottom) });
  drawMarks(add, view, model.marks);
  drawNames(add, view);
}

/** Where everything goes: `x` of a time, `y` of a lane. */
function layout(width, unit, life, now) {
  const narrow = width < 560 * unit;
  const left = (narrow ? 8 : 112) * unit;
  const right = width - 8;
  const lane = (narrow ? 52 : 46) * unit;
  const top = 14 * unit;
  const bottom = top + LANES.length * lane;
  const from = now - life * (narrow ? 0.9 : 1.5);
  const until = now + life * (narrow ? 0.75 : 1.05);
  const share = (at) => (Math.min(Math.max(at, from), until) - from) / (until - from);
  return {
    ...{ width, unit, narrow, left, right, top, bottom, from, until },
    height: bottom + 26 * unit,
    x: (at) => left + share(at) * (right - left),
    y: (n) => top + n * lane + (narrow ? 32 * unit : lane / 2),
  };
}

const vertical = (x, y1, y2) => ({ x1: x, x2: x, y1, y2 });

/** Draw what is still to come, the lanes and the ticks. */
function drawGround(add, view, now) {
  const { x, y, unit, narrow, left, right, top, bottom, from, until } = view;
  const ahead = { x: x(now), y: top, width: x(until) - x(now), height: bottom - top };
  add("rect", { class: "future", ...ahead });
  LANES.forEach((_, n) => add("line", { class: "rail", x1: left, x2: right, y1: y(n), y2: y(n) }));
  const perSecond = ((right - left) / (until - from)) * 1_000;
  const room = (narrow ? 66 : 92) * unit;
  const step = STEPS.find((seconds) => seconds * perSecond > room) ?? STEPS.at(-1);
  const earliest = Math.ceil((from - now) / 1_000 / step);
  for (let n = earliest; now + n * step * 1_000 < until; n += 1) {
    const at = x(now + n * step * 1_000);
    if (n !== 0) add("line", { class: "tick", ...vertical(at, top, bottom) });
    if (at < left + 20 * unit || at > right - 30 * unit) continue;
    const place = { x: at, y: view.height - 6 * unit, "text-anchor": "middle" };
    add("text", { class: n === 0 ? "time now" : "time", ...place }, tick(n * step, step));
  }
}

/** Name the lanes: above them where there is no room beside them. */
function drawNames(add, { y, unit, narrow, left }) {
  LANES.forEach((name, n) => {
    const place = narrow ? { x: left, y: y(n) - 16 * unit } : { x: 0, y: y(n) + 4 * unit };
    add("text", { class: "lane", ...place }, name);
  });
}

function bar(add, view, from, to, n, className, thickness) {
  const { x, y, unit } = view;
  const width = Math.max(2, x(to) - x(from) - 1.5);
  const height = thickness * unit;
  const place = { x: x(from), y: y(n) - height / 2, width, height };
  add("rect", { class: className, ...place, rx: Math.min(6 * unit, width / 2) });
}

function cross(add, view, x, y) {
  const arm = 5 * view.unit;
  const size = 2 * arm;
  const d = `M${x - arm} ${y - arm}l${size} ${size}m0 ${-size}l${-size} ${size}`;
  add("path", { class: "bad", d });
}

function drawSessions(add, view, sessions) {
  for (const { from, to } of sessions) {
    if (to < view.from) continue;
    bar(add, view, from, to ?? view.until, 0, "session", 16);
    if (to !== undefined) cross(add, view, view.x(to), view.y(0));
  }
}

function drawTokens(add, view, tokens, now) {
  const { x, y, unit, narrow } = view;
  for (const { from, to, expires } of tokens) {
    const end = to ?? expires;
    if (end < view.from) continue;
    const live = to === undefined && expires > now;
    bar(add, view, from, end, 1, live ? "token live" : "token", 22);
    if (live && expires < view.until && !narrow) {
      const place = { x: x(expires) - 8 * unit, y: y(1) + 4 * unit, "text-anchor": "end" };
      add("text", { class: "note", ...place }, "expires");
    }
  }
}

/** Draw marks of one kind that would cover each other as one, with their number. */
function drawMarks(add, view, marks) {
  const span = ((view.until - view.from) / (view.right - view.left)) * 8 * view.unit;
  const groups = [];
  const latest = {};
  for (const mark of marks) {
    const key = `${mark.lane} ${mark.kind}`;
    if (!(mark.at - latest[key]?.at < span)) groups.push((latest[key] = { ...mark, count: 0 }));
    latest[key].count += 1;
  }
  for (const group of groups) if (group.at > view.from) drawMark(add, view, group);
}

function drawMark(add, view, { lane, kind, at, count }) {
  const { unit } = view;
  const [x, y] = [view.x(at), view.y(lane === "refresh" ? 2 : 3)];
  if (lane === "refresh" && kind === "good") {
    add("line", { class: "lift", ...vertical(x, y - 6 * unit, view.y(1) + 12 * unit) });
  }
  if (kind === "bad") return cross(add, view, x, y);
  if (kind === "lost") {
    const d = `M${x} ${y - 6 * unit}l${6.5 * unit} ${11 * unit}h${-13 * unit}z`;
    return add("path", { class: "lost", d });
  }
  if (kind === "calm") return add("circle", { class: "calm", cx: x, cy: y, r: 4.5 * unit });
  const name = lane === "refresh" ? "refresh" : "good";
  const [className, r] = count > 1 ? [`${name} many`, 9 * unit] : [name, 5 * unit];
  add("circle", { class: className, cx: x, cy: y, r });
  if (count > 1) {
    const place = { x, y: y + 4 * unit, "text-anchor": "middle" };
    add("text", { class: "count", ...place }, count > 99 ? "99" : count);
  }
  return undefined;
}
