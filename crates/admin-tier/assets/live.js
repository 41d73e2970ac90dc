// Keeps a page true by its event stream, and says how true it is.

import { isPaused, take } from "./hold.js";
import { draw, heard } from "./times.js";

// Two heartbeats and a little: a stream that is silent for so long is dead, whatever it looks like.
const SILENCE = 12_000;
const LONGEST_PAUSE = 30_000;

let source;
let failures = 0;
let silence;
let again;

/** Says how the page stands. */
export function stand(text, isLost = false) {
  const standing = document.getElementById("standing");
  if (standing.textContent !== text) standing.textContent = text;
  document.getElementById("freshness").classList.toggle("lost", isLost);
}

/** The page is as of this time. */
export function asOf(time) {
  heard(time);
  if (isPaused()) return;
  const freshness = document.getElementById("freshness");
  const shown = freshness.querySelector("time");
  shown.dateTime = shown.title = time;
  draw(freshness);
}

export const standNow = () => (isPaused() ? stand("Paused.") : stand("Live."));

function close() {
  clearTimeout(silence);
  clearTimeout(again);
  source?.close();
  source = undefined;
}

// Longer and longer, and each page at another moment: they all lose the tier at once.
function backOff() {
  const pause = Math.min(LONGEST_PAUSE, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
  failures += 1;
  return pause;
}

/** Whether the page itself would be served; where it would not, the way back leads over the sign-in. */
async function isStillIn() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(10_000) });
    return answer.type !== "opaqueredirect" && answer.status !== 401 && answer.status !== 403;
  } catch {
    return true;
  }
}

async function lost(url) {
  close();
  if (document.hidden) return;
  stand("The admin tier does not answer; trying again.", true);
  again = setTimeout(() => open(url), backOff());
  if (!(await isStillIn())) location.reload();
}

function open(url) {
  close();
  const stream = new EventSource(url);
  source = stream;
  const listen = (name, hear) =>
    stream.addEventListener(name, (event) => {
      if (source !== stream) return;
      const told = JSON.parse(event.data);
      clearTimeout(silence);
      silence = setTimeout(() => lost(url), SILENCE);
      failures = 0;
      asOf(told.at);
      standNow();
      hear(told);
    });
  listen("snapshot", take);
  listen("delta", take);
  listen("heartbeat", () => {});
  listen("end", ({ reason }) => {
    if (reason === "signed-out") return location.reload();
    if (reason === "renew") return open(url);
    lost(url);
  });
  stream.onerror = () => source === stream && lost(url);
  silence = setTimeout(() => lost(url), SILENCE);
}

/** Follows the stream at `url` as long as the page is looked at. */
export function follow(url) {
  // A hidden page holds none: browsers allow six connections to a host, and nobody sees it.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open(url)));
  addEventListener("pagehide", close);
  // The page is being left, for an answer that nothing here must overtake: signing out ends this stream, too.
  document.addEventListener("submit", ({ target, defaultPrevented }) => {
    if (defaultPrevented || target.method === "dialog") return;
    close();
    again = setTimeout(() => open(url), LONGEST_PAUSE);
  });
  addEventListener("pageshow", (event) => event.persisted && open(url));
  if (!document.hidden) open(url);
}
