// Changes that are not shown yet. While the user points at, focuses or selects something, no row appears, disappears or moves; rows
// are updated in place. While the page is paused, nothing changes.

import { arrange, update } from "./morph.js";

// The pending HTML of parts, by id, and the pending order of lists, by name.
const parts = new Map();
const lists = new Map();
let paused = false;
// Whether the page is unchanged since it was served.
let isFresh = true;
// After a tap `:hover` still matches, although nothing points there any more.
let isTouch = false;

export const isPaused = () => paused;

const listNamed = (name) => document.querySelector(`[data-list="${CSS.escape(name)}"]`);

/** Returns whether the user points at, focuses or selects something that must not move. */
function isInUse() {
  const pointed = !isTouch && document.querySelector("[data-list]:hover, main form:hover, main summary:hover");
  const focused = document.activeElement?.closest("[data-list], main form, main summary");
  const selection = document.getSelection();
  const selected = selection && !selection.isCollapsed && document.querySelector("main")?.contains(selection.anchorNode);
  return Boolean(pointed || focused || selected);
}

// Whether the user is about to press something in an element.
const isTargeted = (element) =>
  (!isTouch && element.matches(":hover")) || element.querySelector("form :focus, summary:focus") !== null;

/** Whether a part must not change now: while anything is in use, or with `data-holds="itself"` while the part itself is. */
const isLocked = (element, inUse) =>
  element.hasAttribute("data-holds") && (element.dataset.holds === "itself" ? isTargeted(element) : inUse);

// Marks the items that the new order no longer contains.
function markGone(list, order) {
  const remaining = new Set(order);
  for (const item of list.children) item.toggleAttribute("data-gone", !remaining.has(item.id));
}

function changesIn(name, order) {
  const shown = [...(listNamed(name)?.children ?? [])].map((item) => item.id);
  const [before, after] = [new Set(shown), new Set(order)];
  const added = order.filter((id) => !before.has(id)).length;
  const removed = shown.filter((id) => !after.has(id)).length;
  // A new order of the same rows counts as one change.
  return added + removed || (shown.join() === order.join() ? 0 : 1);
}

function countChanges() {
  let changes = 0;
  for (const [name, order] of lists) changes += changesIn(name, order);
  for (const id of parts.keys()) changes += document.getElementById(id) ? 1 : 0;
  return changes;
}

function showCount() {
  const button = document.getElementById("waiting");
  if (!button) return;
  const changes = countChanges();
  const text = `${changes} ${changes === 1 ? "change" : "changes"} waiting`;
  if (button.textContent !== text) button.textContent = text;
  if (changes === 0 && document.activeElement === button) (document.getElementById("pause") ?? document.getElementById("content")).focus();
  button.hidden = changes === 0;
}

/** Shows the changes that may be shown now; with `all`, every change, even where the user is at work. */
function applyChanges(all = false) {
  if (paused && !all) return showCount();
  const inUse = !all && isInUse();
  for (const [id, html] of parts) {
    const element = document.getElementById(id);
    if (!element || (!all && isLocked(element, inUse))) continue;
    update(element, html);
    parts.delete(id);
  }
  for (const [name, order] of lists) {
    const list = listNamed(name);
    if (!list) continue;
    if (inUse) {
      markGone(list, order);
      continue;
    }
    arrange(list, order, parts);
    lists.delete(name);
  }
  // Forgets items that were added and removed again while they were pending.
  if (!inUse) forget((element) => element && !all && isLocked(element, inUse));
  showCount();
}

// Forgets parts that will never be shown: those that no pending list contains, and whose element is not `needed`.
function forget(needed) {
  const listed = new Set([...lists.values()].flat());
  for (const id of parts.keys()) if (!listed.has(id) && !needed(document.getElementById(id))) parts.delete(id);
}

/** Adds changes from the stream. */
export function addChanges(changes) {
  for (const [id, html] of Object.entries(changes.parts)) parts.set(id, html);
  for (const [name, order] of Object.entries(changes.lists)) lists.set(name, order);
  // Bounds the memory of a page that is paused for long.
  forget((element) => element !== null);
  applyChanges();
}

/** Adds the complete state, with which a stream begins. On a fresh page it is shown at once, even where the page is paused. */
export function addSnapshot(snapshot) {
  addChanges(snapshot);
  if (isFresh && !isInUse()) applyChanges(true);
  isFresh = false;
}

/** Pauses or resumes the page. */
export function setPaused(on) {
  paused = on;
  applyChanges();
}

/** Shows pending changes as soon as the user no longer uses what they concern. */
export function watchUse() {
  document.addEventListener("pointerover", ({ pointerType }) => (isTouch = pointerType === "touch"), { passive: true });
  const applySoon = () => setTimeout(applyChanges);
  for (const event of ["pointerout", "focusout", "selectionchange"]) document.addEventListener(event, applySoon, { passive: true });
  document.getElementById("waiting")?.addEventListener("click", () => applyChanges(true));
}
