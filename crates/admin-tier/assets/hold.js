// What has changed and is not shown yet. Nothing comes, goes or moves under the pointer, under the keyboard's focus or in
// a selection; what is shown is kept true in place. While the page is paused, nothing changes at all.

import { arrange, swap } from "./swap.js";

const parts = new Map();
const lists = new Map();
let paused = false;
// Whether the page is as it was served.
let isNew = true;
// A finger that has tapped does not stay where it was, whatever :hover says.
let isFinger = false;

export const isPaused = () => paused;

const listNamed = (name) => document.querySelector(`[data-list="${CSS.escape(name)}"]`);

/** Whether somebody is at something: pointing at it, about to press it, reading it out, copying it. */
export function isHeld() {
  const pointed = !isFinger && document.querySelector("[data-list]:hover, main form:hover, main summary:hover");
  const focused = document.activeElement?.closest("[data-list], main form, main summary");
  const selection = document.getSelection();
  const selected = selection && !selection.isCollapsed && document.querySelector("main")?.contains(selection.anchorNode);
  return Boolean(pointed || focused || selected);
}

// Whether somebody is about to press something in it.
const isAt = (element) =>
  (!isFinger && element.matches(":hover")) || element.querySelector("form :focus, summary:focus") !== null;

/** Whether a part stays as it is: while anything is held, or (`itself`) while somebody is at it. */
const stays = (element, held) =>
  element.hasAttribute("data-holds") && (element.dataset.holds === "itself" ? isAt(element) : held);

function markGone(list, order) {
  const staying = new Set(order);
  for (const member of list.children) member.toggleAttribute("data-gone", !staying.has(member.id));
}

function waitingIn(name, order) {
  const shown = [...(listNamed(name)?.children ?? [])].map((member) => member.id);
  const [before, after] = [new Set(shown), new Set(order)];
  const come = order.filter((id) => !before.has(id)).length;
  const gone = shown.filter((id) => !after.has(id)).length;
  // What only moves is one change, however many rows it moves.
  return come + gone || (shown.join() === order.join() ? 0 : 1);
}

function count() {
  let waiting = 0;
  for (const [name, order] of lists) waiting += waitingIn(name, order);
  for (const id of parts.keys()) waiting += document.getElementById(id) ? 1 : 0;
  return waiting;
}

function say() {
  const button = document.getElementById("waiting");
  if (!button) return;
  const waiting = count();
  const text = `${waiting} ${waiting === 1 ? "change" : "changes"} waiting`;
  if (button.textContent !== text) button.textContent = text;
  if (waiting === 0 && document.activeElement === button) (document.getElementById("pause") ?? document.getElementById("content")).focus();
  button.hidden = waiting === 0;
}

/** Shows what can be shown now; `all` shows everything, whoever is at it. */
export function settle(all = false) {
  if (paused && !all) return say();
  const held = !all && isHeld();
  for (const [id, html] of parts) {
    const element = document.getElementById(id);
    if (!element || (!all && stays(element, held))) continue;
    swap(element, html);
    parts.delete(id);
  }
  for (const [name, order] of lists) {
    const list = listNamed(name);
    if (!list) continue;
    if (held) {
      markGone(list, order);
      continue;
    }
    arrange(list, order, parts);
    lists.delete(name);
  }
  // What has come and gone again while it waited is in no list any more.
  if (!held) forget((element) => element && !all && stays(element, held));
  say();
}

// Lets go of what is never shown: what is in no list that waits, and not `needed` where it stands.
function forget(needed) {
  const wanted = new Set([...lists.values()].flat());
  for (const id of parts.keys()) if (!wanted.has(id) && !needed(document.getElementById(id))) parts.delete(id);
}

/** Takes in what has changed. */
export function take(changes) {
  for (const [id, html] of Object.entries(changes.parts)) parts.set(id, html);
  for (const [name, order] of Object.entries(changes.lists)) lists.set(name, order);
  // However long the page waits.
  forget((element) => element !== null);
  settle();
}

/** Takes in how everything stands. Where that is what the page was served with, nothing waits, paused or not. */
export function begin(whole) {
  take(whole);
  if (isNew && !isHeld()) settle(true);
  isNew = false;
}

/** Stops the page, or lets it go on. */
export function pause(on) {
  paused = on;
  settle();
}

/** Shows what waits as soon as nobody is at it any more. */
export function watch() {
  document.addEventListener("pointerover", ({ pointerType }) => (isFinger = pointerType === "touch"), { passive: true });
  const soon = () => setTimeout(settle);
  for (const event of ["pointerout", "focusout", "selectionchange"]) document.addEventListener(event, soon, { passive: true });
  document.getElementById("waiting")?.addEventListener("click", () => settle(true));
}
