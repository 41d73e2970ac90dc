// Room for a banner that lies over the page: the page becomes as much smaller as the banner is high, so that nothing of it is covered.
//
// A page that scrolls gets the room at its end. A page that fills the window is shrunk: its root becomes lower, and, by a transform
// that changes nothing else, the container of what is fixed or absolute; elements that are as high as the window by a length of their
// own get a maximum. The page's coordinates stay what they are, since only its lower edge moves. Everything is undone by `clear()`.

import { canScroll, closestFixed, rootScrolls, elementsUnder } from "./covered.js";

// How deep, and among how many elements, those are looked for that reach under the banner.
const MAX_DEPTH = 12;
const MAX_ELEMENTS = 400;

export class Room {
  #host;
  #sheet = new CSSStyleSheet();
  #rules = "";
  // The styles that were changed: by element, what each property was, with its priority.
  #changed = new Map();
  // Whether the page was found not to fit when it was shrunk: then it scrolls instead.
  #unfit = false;
  // The edge and the height for which room was made.
  #made = null;
  edge = null;

  constructor(host) {
    this.#host = host;
  }

  // Makes room of this height at the `top` or the `bottom`, or adjusts it. With `flow` the banner is at the top, and has its room there:
  // only what is fixed has to move. Called again while the banner is shown, since the page may have changed.
  make(edge, height) {
    const wanted = `${edge} ${height}`;
    if (this.#made !== null && this.#made !== wanted) this.clear();
    const isNew = this.#made === null;
    this.#made = wanted;
    this.edge = edge;
    if (edge === "flow") return this.#pushFixed("top", height);
    const scrolls = this.#unfit || rootScrolls();
    const shrinks = edge === "bottom" && !scrolls;
    if (shrinks) {
      // Without the top layer the banner is itself inside the root.
      const contains = this.#host.showPopover ? " transform: translate(0) !important;" : "";
      this.#setRules(`html { block-size: calc(100% - ${height}px) !important; min-block-size: 0 !important; max-block-size: none !important;${contains} }`);
    } else {
      this.#setRules(`html { padding-block-${edge === "bottom" ? "end" : "start"}: ${height}px !important; }`);
      this.#pushFixed(edge, height);
    }
    if (scrolls) return;
    // An app that places its parts itself has done so two frames later.
    if (isNew) requestAnimationFrame(() => requestAnimationFrame(() => this.#made === wanted && this.make(edge, height)));
    else if (!this.#shrink(edge === "bottom" ? innerHeight - height : innerHeight)) {
      this.clear();
      this.#unfit = true;
      this.make(edge, height);
    }
  }

  // Gives the room back.
  clear() {
    this.#unfit = false;
    this.#made = this.edge = null;
    for (const element of this.#changed.keys()) this.#restore(element);
    this.#setRules("");
  }

  #setRules(rules) {
    const { adoptedStyleSheets: sheets } = document;
    if (rules && !sheets.includes(this.#sheet)) document.adoptedStyleSheets = [...sheets, this.#sheet];
    if (rules === this.#rules) return;
    this.#rules = rules;
    this.#sheet.replaceSync(rules && `@media screen { ${rules} }`);
    if (!rules) document.adoptedStyleSheets = sheets.filter((sheet) => sheet !== this.#sheet);
    announceSize();
  }

  // Makes elements lower that reach below the limit. Returns whether what they contain still fits.
  #shrink(limit) {
    const shrunk = [];
    let level = [document.body];
    for (let depth = 0, seen = 0; depth < MAX_DEPTH && level.length; depth += 1) {
      const next = [];
      for (const element of level) {
        if ((seen += 1) > MAX_ELEMENTS) break;
        if (element === this.#host || !(element instanceof HTMLElement)) continue;
        const box = element.getBoundingClientRect();
        if (!box.width || box.bottom <= limit + 1 || box.top >= limit) continue;
        const style = getComputedStyle(element);
        if (style.display === "inline" || style.visibility === "hidden") continue;
        const frame = style.boxSizing === "border-box" ? 0 : box.height - innerBlockSize(style);
        this.#set(element, "max-height", `${Math.max(0, limit - box.top - frame)}px`);
        this.#set(element, "min-height", "0px");
        shrunk.push(element);
        if (!canScroll(element)) next.push(...element.children);
      }
      level = next;
    }
    if (shrunk.length) announceSize();
    return shrunk.every((element) => getComputedStyle(element).overflowY !== "visible" || element.scrollHeight <= element.clientHeight + 1 || !reaches(element, limit));
  }

  // Moves what is fixed to the window out from under the banner.
  #pushFixed(edge, height) {
    const fixed = new Set(elementsUnder(this.#host).map(closestFixed));
    fixed.delete(null);
    for (const element of fixed) {
      if (this.#changed.has(element)) continue;
      const side = edge === "bottom" ? "bottom" : "top";
      this.#set(element, side, `${Number.parseFloat(getComputedStyle(element)[side]) + height}px`);
      const { top, bottom, height: now } = element.getBoundingClientRect();
      const excess = edge === "bottom" ? bottom - (innerHeight - height) : Math.max(bottom - innerHeight, height - top);
      if (excess > 1 && now > excess) this.#set(element, "max-height", `${now - excess}px`);
    }
  }

  #set(element, property, value) {
    const saved = this.#changed.get(element) ?? new Map();
    this.#changed.set(element, saved);
    if (!saved.has(property)) saved.set(property, [element.style.getPropertyValue(property), element.style.getPropertyPriority(property)]);
    element.style.setProperty(property, value, "important");
  }

  #restore(element) {
    for (const [property, [value, priority]] of this.#changed.get(element)) element.style.setProperty(property, value, priority);
    this.#changed.delete(element);
  }
}

const innerBlockSize = (style) => Number.parseFloat(style.height) || 0;

// Whether something in an element reaches below the limit.
const reaches = (element, limit) => [...element.children].some((child) => child.getBoundingClientRect().bottom > limit + 1);

// Apps that measure the window measure again.
function announceSize() {
  dispatchEvent(new Event("resize"));
}
