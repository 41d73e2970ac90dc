// The page after leaving: notes that were erased can be brought back until this tab is closed.

import { erased } from "./notes.js";
import { words } from "./words.js";

const bringBack = erased();
const offer = document.getElementById("erased");
if (bringBack && offer) {
  offer.hidden = false;
  offer.querySelector("button").addEventListener("click", () => {
    offer.querySelector("p").textContent = bringBack() ? words.broughtBack : words.notSaved;
    offer.querySelector("button").hidden = true;
  });
}
