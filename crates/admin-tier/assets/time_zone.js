// Whether times are shown in UTC or in the time zone of this computer. The choice is stored in this browser.

import { safeStorage } from "./storage.js";

const STORAGE_KEY = "lastcall-times";
const storage = safeStorage("localStorage");
const localZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

let isUtc = storage.get(STORAGE_KEY) === "utc";
let formats = createFormats();

function createFormats() {
  const zone = isUtc ? { timeZone: "UTC" } : {};
  const today = new Intl.DateTimeFormat(undefined, { ...zone, timeStyle: "medium" });
  const day = new Intl.DateTimeFormat(undefined, { ...zone, dateStyle: "short" });
  const anotherDay = new Intl.DateTimeFormat(undefined, { ...zone, dateStyle: "medium", timeStyle: "short" });
  return { today, day, anotherDay };
}

/** Formats a point in time, with its date only where that is not today's. */
export function formatTime(at, now) {
  const { today, day, anotherDay } = formats;
  const text = (day.format(at) === day.format(now) ? today : anotherDay).format(at);
  return isUtc ? `${text} UTC` : text;
}

/** Sets up the button that switches the time zone. `onChange()` redraws the times. */
export function setUpZoneButton(button, onChange) {
  const label = () => {
    button.textContent = `Times: ${isUtc ? "UTC" : localZone}`;
    button.title = isUtc ? `Show times in ${localZone}` : "Show times in UTC";
  };
  button.addEventListener("click", () => {
    isUtc = !isUtc;
    storage.set(STORAGE_KEY, isUtc ? "utc" : "local");
    formats = createFormats();
    label();
    onChange();
  });
  label();
  button.hidden = false;
}
