// Single-key shortcuts: / searches, j and k select rows, p pauses, ? shows the help. They do not apply while the user types, and can be
// switched off for speech input.

import { safeStorage } from "./storage.js";

const STORAGE_KEY = "lastcall-single-keys";
const storage = safeStorage("localStorage");

const rows = () => [...document.querySelectorAll("[data-list] > *")];

// Moves the focus by a number of rows.
function moveFocus(by) {
  const all = rows();
  const current = all.indexOf(document.activeElement?.closest("[data-list] > *"));
  const next = current < 0 ? (by > 0 ? 0 : all.length - 1) : current + by;
  all[Math.min(Math.max(next, 0), all.length - 1)]?.focus();
}

function search() {
  const box = document.getElementById("q");
  // Once the key is up: otherwise it may be typed into the box of the next page.
  if (!box) return addEventListener("keyup", () => location.assign("/admin/users#q"), { once: true });
  box.focus();
  box.select();
}

function isTyping(target) {
  return Boolean(target.closest?.("input, select, textarea, [contenteditable]"));
}

/** Registers the shortcuts. `togglePause()` is called for `p`. */
export function registerShortcuts(togglePause) {
  const help = document.getElementById("help");
  const on = document.getElementById("keys-on");
  const opener = document.getElementById("help-open");
  on.checked = storage.get(STORAGE_KEY) !== "off";
  on.addEventListener("change", () => storage.set(STORAGE_KEY, on.checked ? "on" : "off"));
  opener.addEventListener("click", () => help.showModal());
  opener.hidden = false;
  const actions = { "/": search, j: () => moveFocus(1), k: () => moveFocus(-1), p: togglePause, "?": () => help.showModal() };
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open || isTyping(target)) return;
    if (key === "Enter" && target.matches?.("[data-list] > *")) return target.querySelector("a[href]")?.click();
    if (!on.checked || !Object.hasOwn(actions, key)) return;
    event.preventDefault();
    actions[key]();
  });
}
