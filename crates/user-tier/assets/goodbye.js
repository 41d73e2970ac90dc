// The page after a logout: tells what happened to the notes. Erased notes can be restored until this tab is closed.

import { takeErased, takeKept } from "./notes.js";
import { words } from "./words.js";

const keptHint = document.getElementById("kept");
if (takeKept() && keptHint) keptHint.hidden = false;

const restore = takeErased();
const offer = document.getElementById("erased");
if (restore && offer) {
  offer.hidden = false;
  offer.querySelector("button").addEventListener("click", () => {
    offer.querySelector("p").textContent = restore() ? words.restored : words.notSaved;
    offer.querySelector("button").hidden = true;
  });
}
