// Relative times such as "5s ago", drawn from the `datetime` attribute by the server's clock, since the browser's may be wrong.

import { formatTime } from "./time_zone.js";

let serverTime = Date.now();
let receivedAt = performance.now();

/** Sets the server's clock. */
export function setServerTime(time) {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return;
  serverTime = at;
  receivedAt = performance.now();
}

/** Returns the time on the server's clock, in milliseconds. */
export const now = () => serverTime + (performance.now() - receivedAt);

function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days) return `${days}d ${hours}h ${minutes}m`;
  if (hours) return `${hours}h ${minutes}m`;
  return minutes ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}

// The formats, by the value of `data-words`.
const formats = {
  ago: (at) => (now() - at < 5000 ? "just now" : `${duration(now() - at)} ago`),
  for: (at) => duration(now() - at),
  // Rounded up: "0s" means that the time is over.
  left: (at) => duration(Math.ceil((at - now()) / 1000) * 1000),
  clock: (at) => formatTime(at, now()),
};

/** Draws all times within `root`, and shows only what holds now: elements with `data-until` or `data-from` hold until or from that time. A text that is up to date is not touched, so that a selection in it stays. */
export function drawTimes(root) {
  for (const time of root.querySelectorAll("time[data-words]")) {
    const at = Date.parse(time.dateTime);
    const text = Number.isNaN(at) ? time.dateTime : formats[time.dataset.words](at);
    if (time.textContent !== text) time.textContent = text;
  }
  const isOver = (time) => now() >= Date.parse(time);
  for (const element of root.querySelectorAll("[data-until]")) element.hidden = isOver(element.dataset.until);
  for (const element of root.querySelectorAll("[data-from]")) element.hidden = !isOver(element.dataset.from);
}
