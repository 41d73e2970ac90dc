// Makes an element what another one is, in place: what is the same stays, and with it the focus, a selection, and what
// somebody has opened.

import { draw } from "./times.js";

// What a script or a person has set on an element, and no page that is served knows of.
const isOurs = (element, name) => name === "data-gone" || (name === "open" && element.localName === "details");

const isBlank = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() === "";

// What may become what: elements of one name and class, texts, comments.
const kind = (node) => `${node.nodeName} ${node.id ?? ""} ${node.getAttribute?.("class") ?? ""}`;

function sameAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !isOurs(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !isOurs(old, name)) old.setAttribute(name, value);
  }
}

/** Makes `old` what `fresh` is; `fresh` is used up. */
export function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  sameAttributes(old, fresh);
  let rest = [...old.childNodes];
  for (const child of [...fresh.childNodes]) {
    const at = rest.findIndex((candidate) => kind(candidate) === kind(child));
    // Blanks between elements come and go with them; they are not looked for beyond the next element.
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

/** The element that this HTML is, its times drawn. */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  draw(template.content);
  return template.content.firstElementChild;
}

/** Makes an element what this HTML is. Where that takes the focus away, it goes to what stands there now. */
export function swap(element, html) {
  const focused = element.contains(document.activeElement) && document.activeElement;
  const id = element.id;
  morph(element, parse(html));
  if (!focused || focused.isConnected) return;
  const here = document.getElementById(id);
  const next = here?.querySelector("h2[tabindex], summary, button, a[href]") ?? document.getElementById("content");
  next?.focus({ preventScroll: true });
}

/** Puts the members of a list in this order; `html` has those that are new, by id. */
export function arrange(list, order, html) {
  const focused = list.contains(document.activeElement) && document.activeElement;
  const staying = new Set(order);
  for (const member of [...list.children]) {
    if (!staying.has(member.id)) member.remove();
    else member.removeAttribute("data-gone");
  }
  const known = new Map([...list.children].map((member) => [member.id, member]));
  let next = list.firstElementChild;
  for (const id of order) {
    const member = known.get(id);
    if (member && member === next) {
      next = next.nextElementSibling;
    } else if (member && list.moveBefore) {
      list.moveBefore(member, next);
    } else if (member || html.has(id)) {
      list.insertBefore(member ?? parse(html.get(id)), next);
    }
  }
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}
