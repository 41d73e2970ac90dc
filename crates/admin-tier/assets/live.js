// Keeps a page true by its event stream, and says how true it is.

import { begin, isPaused, take } from "./hold.js";
import { draw, heard } from "./times.js";

// Two heartbeats and a little: a stream that is silent for so long is dead, whatever it looks like.
const SILENCE = 12_000;
const LONGEST_PAUSE = 30_000;

let source;
let failures = 0;
let silence;
let again;

// How the line stands, whether the page is paused or not.
let line = { text: "", isLost: false };

/** Says how the page stands. */
export function standNow() {
  const { isLost } = line;
  const text = isPaused() && !isLost ? "Paused." : line.text;
  const standing = document.getElementById("standing");
  if (standing.textContent !== text) standing.textContent = text;
  document.getElementById("freshness").classList.toggle("lost", isLost);
}

function stand(text, isLost = false) {
  line = { text, isLost };
  standNow();
}

/** The page is as of this time. */
function asOf(time) {
  heard(time);
  if (isPaused()) return;
  const freshness = document.getElementById("freshness");
  const shown = freshness.querySelector("time");
  shown.dateTime = shown.title = time;
  draw(freshness);
}

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

/** Whether the page itself would be served (`here`), something else would (`gone`: the sign-in, or that there is no such page
 * any more), or nobody answers (`away`). */
async function look() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(10_000) });
    if (answer.type === "opaqueredirect" || [401, 403, 404].includes(answer.status)) return "gone";
    return answer.ok ? "here" : "away";
  } catch {
    return "away";
  }
}

async function lost(url) {
  close();
  if (document.hidden) return;
  stand("The admin tier does not answer; trying again.", true);
  again = setTimeout(() => open(url), backOff());
  const seen = await look();
  if (seen === "gone") location.reload();
  // Meanwhile it may have come back.
  else if (seen === "here" && line.isLost) stand("Not live: too many pages are open, or the line is cut; trying again.", true);
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
      stand("Live.");
      hear(told);
    });
  listen("snapshot", begin);
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
