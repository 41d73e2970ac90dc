// Sets the page up: times, stream, pause button and shortcuts. The page is complete without scripts.

import { follow, showState } from "./live.js";
import { isPaused, setPaused, watchUse } from "./pending.js";
import { registerShortcuts } from "./shortcuts.js";
import { safeStorage } from "./storage.js";
import { setUpZoneButton } from "./time_zone.js";
import { drawTimes, setServerTime } from "./times.js";

const { events } = document.body.dataset;
const button = document.getElementById("pause");

setServerTime(document.querySelector("#freshness time").dateTime);
drawTimes(document);
setUpZoneButton(document.getElementById("zone"), () => drawTimes(document));
// A paused page does not update its times either.
setInterval(() => isPaused() || drawTimes(document), 1000);

function togglePause() {
  if (!button) return;
  const on = !isPaused();
  setPaused(on);
  button.toggleAttribute("data-paused", on);
  button.lastChild.data = on ? "Resume" : "Pause";
  if (!on) drawTimes(document);
  showState();
}

if (button) {
  button.hidden = false;
  button.addEventListener("click", togglePause);
}
watchUse();
registerShortcuts(togglePause);
if (events) follow(events);

// After the maintenance switch was pressed by keyboard, the focus returns to it on the next page, so that a screen reader reads its state.
const FOCUS_KEY = "lastcall-focus";
const storage = safeStorage("sessionStorage");
document.addEventListener("submit", ({ target, submitter }) => {
  if (target.closest("#switch") && submitter?.matches(":focus-visible")) storage.set(FOCUS_KEY, "switch-heading");
});
const focusId = storage.get(FOCUS_KEY);
storage.remove(FOCUS_KEY);
if (focusId) document.getElementById(focusId)?.focus();
