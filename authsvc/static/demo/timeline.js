// What the timeline shows: the session, its access tokens, the refreshes and the requests.

import { draw } from "./picture.js";

const MOST_TOKENS = 400;
const MOST_MARKS = 600;

const REQUESTS = [-1.28, -1.1, -0.9, -0.72, -0.5, -0.3, -0.14];

/** Return an example, for a page on which nothing has happened yet. */
function example(life, now) {
  const at = (lives) => now + lives * life;
  return {
    life,
    sessions: [{ from: at(-1.3) }],
    tokens: [
      { from: at(-1.3), to: at(-0.5) },
      { from: at(-0.5), expires: at(0.5) },
    ],
    marks: [
      ...REQUESTS.map((lives) => ({ lane: "request", kind: "good", at: at(lives) })),
      { lane: "refresh", kind: "good", at: at(-0.5) },
    ],
  };
}

/**
 * Return the timeline. Its times are milliseconds of `performance.now()`, since a date may jump.
 *
 * @param {SVGSVGElement} svg where it is drawn
 * @param {number} seconds the life of an access token, until one is issued
 */
export function createTimeline(svg, seconds) {
  /** A session or token without `to` still goes on. */
  const model = { sessions: [], tokens: [], marks: [], life: seconds * 1_000 };
  const current = (list) => (list.length && list.at(-1).to === undefined ? list.at(-1) : undefined);

  /** End the access token that is in use: a new one replaces it, or the session is over. */
  function endToken(now) {
    const token = current(model.tokens);
    if (token) token.to = Math.min(now, token.expires);
  }

  return {
    draw() {
      const now = performance.now();
      const oldest = now - 2 * model.life;
      const { sessions, tokens, marks } = model;
      while (marks.length && (marks[0].at < oldest || marks.length > MOST_MARKS)) marks.shift();
      while (tokens.length > MOST_TOKENS) tokens.shift();
      while (sessions.length && sessions[0].to < oldest) sessions.shift();
      const empty = !sessions.length;
      svg.classList.toggle("example", empty);
      draw(svg, empty ? example(model.life, now) : model, now);
    },

    /** An access token has come that lives for that many seconds. */
    issued(seconds) {
      const now = performance.now();
      if (!current(model.sessions)) model.sessions.push({ from: now });
      endToken(now);
      model.life = seconds * 1_000;
      model.tokens.push({ from: now, expires: now + model.life });
    },

    /** The session is over. */
    end() {
      const now = performance.now();
      const session = current(model.sessions);
      if (session) session.to = now;
      endToken(now);
    },

    /**
     * @param {"refresh" | "request"} lane
     * @param {"good" | "bad" | "calm" | "lost"} kind
     */
    mark(lane, kind) {
      model.marks.push({ lane, kind, at: performance.now() });
    },

    /** Seconds until the current access token expires; 0 without one. */
    left() {
      const token = current(model.tokens);
      return token ? Math.max(0, (token.expires - performance.now()) / 1_000) : 0;
    },

    /** Seconds that an access token lives. */
    get life() {
      return model.life / 1_000;
    },
  };
}
