// Sets the page up: times, the stream, the pause, the keys. Without scripts the page is whole as it is.

import { isPaused, pause, watch } from "./hold.js";
import { listen } from "./keys.js";
import { follow, standNow } from "./live.js";
import { stored } from "./stored.js";
import { draw, heard } from "./times.js";
import { offer } from "./zone.js";

const { events } = document.body.dataset;
const button = document.getElementById("pause");

heard(document.querySelector("#freshness time").dateTime);
draw(document);
offer(document.getElementById("zone"), () => draw(document));
// A paused page is as it was: its times stand still as well.
setInterval(() => isPaused() || draw(document), 1000);

function togglePause() {
  if (!button) return;
  const on = !isPaused();
  pause(on);
  button.toggleAttribute("data-paused", on);
  button.lastChild.data = on ? "Go on" : "Pause";
  if (!on) draw(document);
  standNow();
}

if (button) {
  button.hidden = false;
  button.addEventListener("click", togglePause);
}
watch();
listen(togglePause);
if (events) follow(events);

// Whoever has pressed the switch by keyboard finds themselves at the switch again, and hears where it stands.
const FOCUS = "lastcall-focus";
const visit = stored("sessionStorage");
document.addEventListener("submit", ({ target, submitter }) => {
  if (target.closest("#switch") && submitter?.matches(":focus-visible")) visit.set(FOCUS, "switch-heading");
});
const back = visit.get(FOCUS);
visit.remove(FOCUS);
if (back) document.getElementById(back)?.focus();
