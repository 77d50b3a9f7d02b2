// The live part of the page: the timeline, the countdown and the requests that the page sends.

import { createTimeline } from "./timeline.js";
import { countdown, roughly } from "./times.js";

const $ = (id) => document.getElementById(id);
const SLOW = 1_000; // milliseconds between two pictures, for people who prefer less motion
const FAST = 40;

/** @param {ReturnType<import("../static/authsvc.js").createAuth>} auth */
export function runTimeline(auth) {
  const timeline = createTimeline($("timeline"), Number($("timeline").dataset.life));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** Send a request to a protected route. The timeline and the table show what comes of it. */
  async function ask() {
    await auth.fetch("api/me").catch(() => undefined);
  }

  /** Seconds between two requests of the page: fifteen in the life of an access token. */
  const pause = () => Math.max(4, Math.round(timeline.life / 15));

  function askAgain() {
    setText("keep-words", `one every ${roughly(pause())}`);
    setTimeout(() => {
      if (auth.user && $("keep").checked && !document.hidden) ask();
      askAgain();
    }, pause() * 1_000);
  }

  function frame() {
    timeline.draw();
    showToken();
    setTimeout(() => requestAnimationFrame(frame), calm.matches ? SLOW : FAST);
  }

  function showToken() {
    const left = Math.ceil(timeline.left());
    const words = left ? `${countdown(left)} left` : "expired; the next request renews it";
    setText("memory", auth.user ? words : "none");
    const about = `the access token has about ${roughly(Math.ceil(left / 10) * 10)} left`;
    const label = auth.user
      ? `Timeline: ${about}. The table at the end of the page lists the requests.`
      : "Timeline: logged out. It shows an example of a session.";
    if ($("timeline").ariaLabel !== label) $("timeline").ariaLabel = label;
  }

  $("one").addEventListener("click", ask);
  $("ten").addEventListener("click", () => Promise.all(Array.from({ length: 10 }, ask)));
  new ResizeObserver(() => timeline.draw()).observe($("timeline"));
  requestAnimationFrame(frame);
  askAgain();

  return {
    /** Draw a request that was answered or lost. */
    seen({ path, kind, seconds }) {
      if (seconds) timeline.issued(seconds);
      timeline.mark(path.endsWith("/auth/refresh") ? "refresh" : "request", kind);
      showToken();
    },

    /** The session is over. */
    end() {
      timeline.end();
      showToken();
    },
  };
}

function setText(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}
