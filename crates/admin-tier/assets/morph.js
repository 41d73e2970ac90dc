// Changes elements in place to match new HTML. Unchanged nodes stay, and with them the focus, the selection, and opened details.

import { drawTimes } from "./times.js";

// Attributes that a script or the user sets, and that the server does not send.
const isLocal = (element, name) => name === "data-gone" || (name === "open" && element.localName === "details");

const isBlank = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() === "";

// Nodes of the same kind may be changed into each other: elements of one name, id and class, texts, comments.
const kind = (node) => `${node.nodeName} ${node.id ?? ""} ${node.getAttribute?.("class") ?? ""}`;

function copyAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !isLocal(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !isLocal(old, name)) old.setAttribute(name, value);
  }
}

/** Changes `old` to match `fresh`, and takes nodes from `fresh`. */
export function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  copyAttributes(old, fresh);
  let rest = [...old.childNodes];
  for (const child of [...fresh.childNodes]) {
    const at = rest.findIndex((candidate) => kind(candidate) === kind(child));
    // White space between elements is not searched for beyond the next node: it comes and goes with the elements.
    if (at < 0 || (isBlank(child) && at > 0)) {
      old.insertBefore(child, rest[0] ?? null);
      continue;
    }
    for (const gone of rest.slice(0, at)) gone.remove();
    morph(rest[at], child);
    rest = rest.slice(at + 1);
  }
  for (const gone of rest) gone.remove();
}

/** Returns the element that the HTML describes, with its times drawn. */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  drawTimes(template.content);
  return template.content.firstElementChild;
}

/** Changes an element to match the HTML. Where the focused node disappears, the focus moves to the element's new content. */
export function update(element, html) {
  const focused = element.contains(document.activeElement) && document.activeElement;
  const id = element.id;
  morph(element, parse(html));
  if (!focused || focused.isConnected) return;
  const updated = document.getElementById(id);
  const next = updated?.querySelector("h2[tabindex], summary, button, a[href]") ?? document.getElementById("content");
  next?.focus({ preventScroll: true });
}

/** Arranges the items of a list in the given order of ids. `html` has the HTML of new items, by id. */
export function arrange(list, order, html) {
  const focused = list.contains(document.activeElement) && document.activeElement;
  const remaining = new Set(order);
  for (const item of [...list.children]) {
    if (!remaining.has(item.id)) item.remove();
    else item.removeAttribute("data-gone");
  }
  const known = new Map([...list.children].map((item) => [item.id, item]));
  let next = list.firstElementChild;
  for (const id of order) {
    const item = known.get(id);
    if (item && item === next) {
      next = next.nextElementSibling;
    } else if (item && list.moveBefore) {
      list.moveBefore(item, next);
    } else if (item || html.has(id)) {
      list.insertBefore(item ?? parse(html.get(id)), next);
    }
  }
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}
