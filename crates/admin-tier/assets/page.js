// Sets the page up: times, the stream or the polling, the pause, the keys. Without scripts the page is whole as it is.

import { isPaused, pause, watch } from "./hold.js";
import { listen } from "./keys.js";
import { follow, standNow } from "./live.js";
import { poll } from "./poll.js";
import { draw, heard } from "./times.js";

const { events, refresh } = document.body.dataset;
const button = document.getElementById("pause");

heard(document.querySelector("#freshness time").dateTime);
draw(document);
// A paused page is as it was: its times stand still as well.
setInterval(() => isPaused() || draw(document), 1000);

function togglePause() {
  if (!button) return;
  const on = !isPaused();
  pause(on);
  button.setAttribute("aria-pressed", on);
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
else poll(Number(refresh));

// Whoever has pressed the switch by keyboard finds themselves at the switch again, and hears where it stands.
const FOCUS = "lastcall-focus";
document.addEventListener("submit", ({ target, submitter }) => {
  if (target.closest("#switch") && submitter?.matches(":focus-visible")) sessionStorage.setItem(FOCUS, "switch-heading");
});
const back = sessionStorage.getItem(FOCUS);
sessionStorage.removeItem(FOCUS);
if (back) document.getElementById(back)?.focus();
