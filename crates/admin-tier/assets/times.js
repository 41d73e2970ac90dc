// Times in words, drawn from the time that they are of, on the server's clock: the browser's may be wrong.

import { clock } from "./zone.js";

let server = Date.now();
let heardAt = performance.now();

/** Takes in what time it is on the server. */
export function heard(time) {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return;
  server = at;
  heardAt = performance.now();
}

/** What time it is on the server, in milliseconds. */
export const now = () => server + (performance.now() - heardAt);

function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days) return `${days}d ${hours}h ${minutes}m`;
  if (hours) return `${hours}h ${minutes}m`;
  return minutes ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}

const words = {
  ago: (at) => (now() - at < 5000 ? "just now" : `${duration(now() - at)} ago`),
  for: (at) => duration(now() - at),
  // Rounded up: "0s" is over.
  left: (at) => duration(Math.ceil((at - now()) / 1000) * 1000),
  clock: (at) => clock(at, now()),
};

/** Draws all times within `root`. What is right already is left alone, so that a selection in it stays. */
export function draw(root) {
  for (const time of root.querySelectorAll("time[data-words]")) {
    const at = Date.parse(time.dateTime);
    const text = Number.isNaN(at) ? time.dateTime : words[time.dataset.words](at);
    if (time.textContent !== text) time.textContent = text;
  }
}
