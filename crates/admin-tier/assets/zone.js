// Whether times are shown in UTC or as the clock of this computer shows them; remembered in this browser.

import { stored } from "./stored.js";

const STORED = "lastcall-times";
const settings = stored("localStorage");
const local = new Intl.DateTimeFormat().resolvedOptions().timeZone;

let isUtc = settings.get(STORED) === "utc";
let formats = make();

function make() {
  const zone = isUtc ? { timeZone: "UTC" } : {};
  const today = new Intl.DateTimeFormat(undefined, { ...zone, timeStyle: "medium" });
  const day = new Intl.DateTimeFormat(undefined, { ...zone, dateStyle: "short" });
  const anotherDay = new Intl.DateTimeFormat(undefined, { ...zone, dateStyle: "medium", timeStyle: "short" });
  return { today, day, anotherDay };
}

/** A point in time in words; its date only where that is not today's. */
export function clock(at, now) {
  const { today, day, anotherDay } = formats;
  const text = (day.format(at) === day.format(now) ? today : anotherDay).format(at);
  return isUtc ? `${text} UTC` : text;
}

/** Lets the button switch; `changed` draws the times anew. */
export function offer(button, changed) {
  const name = () => {
    button.textContent = `Times: ${isUtc ? "UTC" : local}`;
    button.title = isUtc ? `Show times in ${local}` : "Show times in UTC";
  };
  button.addEventListener("click", () => {
    isUtc = !isUtc;
    settings.set(STORED, isUtc ? "utc" : "local");
    formats = make();
    name();
    changed();
  });
  name();
  button.hidden = false;
}
