// The page after leaving: what became of the notes. Those that were erased can be brought back until this tab is closed.

import { erased, kept } from "./notes.js";
import { words } from "./words.js";

const still = document.getElementById("kept");
if (kept() && still) still.hidden = false;

const bringBack = erased();
const offer = document.getElementById("erased");
if (bringBack && offer) {
  offer.hidden = false;
  offer.querySelector("button").addEventListener("click", () => {
    offer.querySelector("p").textContent = bringBack() ? words.broughtBack : words.notSaved;
    offer.querySelector("button").hidden = true;
  });
}
