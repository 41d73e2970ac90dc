// Single keys: / searches, j and k walk the rows, p pauses, ? tells of them. Not while somebody types, and not where they
// are switched off, as speech input needs it.

import { stored } from "./stored.js";

const STORED = "lastcall-single-keys";
const settings = stored("localStorage");

const rows = () => [...document.querySelectorAll("[data-list] > *")];

function walk(by) {
  const all = rows();
  const here = all.indexOf(document.activeElement?.closest("[data-list] > *"));
  const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : here + by;
  all[Math.min(Math.max(next, 0), all.length - 1)]?.focus();
}

function search() {
  const box = document.getElementById("q");
  if (!box) return location.assign("/admin/users#q");
  box.focus();
  box.select();
}

function isTyping(target) {
  return Boolean(target.closest?.("input, select, textarea, [contenteditable]"));
}

/** Listens to the keys; `pause` is what `p` does. */
export function listen(pause) {
  const help = document.getElementById("help");
  const on = document.getElementById("keys-on");
  const opener = document.getElementById("help-open");
  on.checked = settings.get(STORED) !== "off";
  on.addEventListener("change", () => settings.set(STORED, on.checked ? "on" : "off"));
  opener.addEventListener("click", () => help.showModal());
  opener.hidden = false;
  const deeds = { "/": search, j: () => walk(1), k: () => walk(-1), p: pause, "?": () => help.showModal() };
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open || isTyping(target)) return;
    if (key === "Enter" && target.matches?.("[data-list] > *")) return target.querySelector("a[href]")?.click();
    if (!on.checked || !Object.hasOwn(deeds, key)) return;
    event.preventDefault();
    deeds[key]();
  });
}
