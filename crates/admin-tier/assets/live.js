// Keeps a page up to date by its event stream, and shows whether it is.

import { addChanges, addSnapshot, isPaused } from "./pending.js";
import { drawTimes, setServerTime } from "./times.js";

// A stream that is silent for a little more than two heartbeats is dead, even where it looks open.
const SILENCE_LIMIT_MS = 12_000;
const BACKOFF_MS = { first: 500, max: 30_000 };

let source;
let failures = 0;
let watchdog;
let retry;

// The state of the connection, whether the page is paused or not.
let connection = { text: "", isLost: false };

/** Shows the state of the page. */
export function showState() {
  const { isLost } = connection;
  const text = isPaused() && !isLost ? "Paused." : connection.text;
  const element = document.getElementById("stream-state");
  if (element.textContent !== text) element.textContent = text;
  document.getElementById("freshness").classList.toggle("lost", isLost);
}

function setState(text, isLost = false) {
  connection = { text, isLost };
  showState();
}

/** Shows the server time of the page's data. */
function setFreshness(time) {
  setServerTime(time);
  if (isPaused()) return;
  const freshness = document.getElementById("freshness");
  const shown = freshness.querySelector("time");
  shown.dateTime = shown.title = time;
  drawTimes(freshness);
}

function close() {
  clearTimeout(watchdog);
  clearTimeout(retry);
  source?.close();
  source = undefined;
}

// Returns the delay before the next attempt, with jitter, since all pages lose the tier at the same time.
function nextDelay() {
  const delay = Math.min(BACKOFF_MS.max, BACKOFF_MS.first * 2 ** failures) * (0.5 + Math.random() / 2);
  failures += 1;
  return delay;
}

/** Asks whether the page would be served: `available`; `gone` where a reload shows something else, such as the sign-in; `unreachable`
 * where the tier does not answer. */
async function checkPage() {
  try {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(10_000) });
    if (answer.type === "opaqueredirect" || [401, 403, 404].includes(answer.status)) return "gone";
    return answer.ok ? "available" : "unreachable";
  } catch {
    return "unreachable";
  }
}

async function handleLoss(url) {
  close();
  if (document.hidden) return;
  setState("The admin tier does not answer; trying again.", true);
  retry = setTimeout(() => open(url), nextDelay());
  const found = await checkPage();
  if (found === "gone") location.reload();
  // The stream may have come back in the meantime.
  else if (found === "available" && connection.isLost) setState("Not live: too many pages are open, or the connection was cut; trying again.", true);
}

function open(url) {
  close();
  const stream = new EventSource(url);
  source = stream;
  const listen = (name, handle) =>
    stream.addEventListener(name, (event) => {
      if (source !== stream) return;
      const data = JSON.parse(event.data);
      clearTimeout(watchdog);
      watchdog = setTimeout(() => handleLoss(url), SILENCE_LIMIT_MS);
      failures = 0;
      setFreshness(data.at);
      setState("Live.");
      handle(data);
    });
  listen("snapshot", addSnapshot);
  listen("delta", addChanges);
  listen("heartbeat", () => {});
  listen("end", ({ reason }) => {
    if (reason === "signed-out") return location.reload();
    if (reason === "renew") return open(url);
    handleLoss(url);
  });
  stream.onerror = () => source === stream && handleLoss(url);
  watchdog = setTimeout(() => handleLoss(url), SILENCE_LIMIT_MS);
}

/** Follows the stream at `url` while the page is visible. */
export function follow(url) {
  // A hidden page needs no stream, and browsers allow six connections to a host.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open(url)));
  addEventListener("pagehide", close);
  // A submitted form loads another page, which nothing here may overtake: signing out ends this stream, too.
  document.addEventListener("submit", ({ target, defaultPrevented }) => {
    if (defaultPrevented || target.method === "dialog") return;
    close();
    retry = setTimeout(() => open(url), BACKOFF_MS.max);
  });
  addEventListener("pageshow", (event) => event.persisted && open(url));
  if (!document.hidden) open(url);
}
