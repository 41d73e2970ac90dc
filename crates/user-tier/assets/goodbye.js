// The page after a logout: tells what happened to the notes. Erased notes can be restored until this tab is closed.

import { takeErased, takeKept } from "./local_notes.js";
import { words } from "./words.js";

const keptHint = document.getElementById("kept");
if (takeKept() && keptHint) keptHint.hidden = false;

const erased = takeErased();
const offer = document.getElementById("erased");
if (erased && offer) {
  offer.hidden = false;
  document.getElementById("still-saved").hidden = !erased.named;
  offer.querySelector("button").addEventListener("click", () => {
    offer.querySelector("p").textContent = erased.restore() ? words.restored : words.notKept;
    offer.querySelector("button").hidden = true;
  });
}
