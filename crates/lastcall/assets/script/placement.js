// Where the default banner stands. At the top it takes its room in the flow of the page. Where it would cover controls there, as in an
// app that fills the window, it stands at the bottom, and the page is shrunk. Users can move it to the other edge, and make it a small
// clock with the button, which lies over the page.

import { coversControls, pushesOut } from "./covered.js";
import { Room } from "./room.js";

// What the user has chosen, for this page in this tab.
const STORAGE_KEY = `lastcall.banner ${location.pathname}`;

function readChoice() {
  try {
    return JSON.parse(sessionStorage.getItem(STORAGE_KEY)) ?? {};
  } catch {
    // Nothing is stored here, or storage is forbidden.
    return {};
  }
}

export class Placement {
  #host;
  #room;
  #onMove;
  #choice = readChoice();
  #edge = "top";
  #over = false;
  #folded = false;
  // Whether the banner is visible.
  #active = false;

  // `host`: the element of the script. `onMove()` is called when the banner has come to another edge, or changed its form.
  constructor(host, onMove) {
    this.#host = host;
    this.#room = new Room(host);
    this.#onMove = onMove;
    addEventListener("resize", ({ isTrusted }) => isTrusted && this.update());
    // What is printed has no banner.
    addEventListener("beforeprint", () => this.#room.clear());
    addEventListener("afterprint", () => this.update());
    for (const name of ["resize", "scroll"]) globalThis.visualViewport?.addEventListener(name, () => this.#riseAboveKeyboard());
  }

  get edge() {
    return this.#edge;
  }

  get folded() {
    return this.#folded;
  }

  // Begins the placement for a notice that ends in this time. What the user has chosen for another one does not count, but for the edge.
  begin(remainingMs) {
    this.#folded = Boolean(this.#choice.folded && Date.now() < this.#choice.until && remainingMs > 0);
    this.#edge = this.#choice.edge ?? this.#edge;
  }

  // Shows the banner in its place, or adjusts the place to what the page is now.
  update(active = this.#active) {
    this.#active = active;
    if (!document.body) return;
    if (!active) return this.#release();
    this.#apply();
    if (!this.#choice.edge && !this.#folded && this.#edge === "top" && this.#isInTheWay()) {
      this.#edge = "bottom";
      this.#apply();
    }
    if (!this.#isOver) this.#room.make("flow", Math.ceil(this.#host.getBoundingClientRect().height));
  }

  toggleEdge() {
    this.#edge = this.#edge === "top" ? "bottom" : "top";
    this.#choose({ edge: this.#edge });
  }

  toggleFolded(remainingMs) {
    this.#folded = !this.#folded;
    this.#choose({ folded: this.#folded, until: Date.now() + remainingMs });
  }

  #choose(choice) {
    Object.assign(this.#choice, choice);
    try {
      sessionStorage.setItem(STORAGE_KEY, JSON.stringify(this.#choice));
    } catch {
      // It counts until the page is left.
    }
    this.#room.clear();
    this.update();
  }

  #isInTheWay() {
    const { height, top } = this.#host.getBoundingClientRect();
    // A body that is lower than its content carries a sticky banner away.
    if (!this.#over && top < -1) this.#over = true;
    return coversControls(this.#host) || (!this.#isOver && pushesOut(height));
  }

  // Whether the banner lies over the page.
  get #isOver() {
    return this.#over || this.#folded || this.#host.parentElement !== document.body || this.#edge === "bottom" || laysOutInRows(document.body);
  }

  #apply() {
    const before = this.#host.dataset.place;
    this.#enter(openModal());
    const over = this.#isOver;
    this.#host.toggleAttribute("data-over", over);
    this.#host.toggleAttribute("data-folded", this.#folded);
    this.#host.dataset.place = this.#folded ? `${this.#edge} folded` : this.#edge;
    // In the top layer no transform, overflow or z-index of the page matters.
    this.#setOnTop(over);
    const { height } = this.#host.getBoundingClientRect();
    if (over && !this.#folded && height < innerHeight / 2) this.#room.make(this.#edge, Math.ceil(height));
    else if (over || this.#room.edge !== "flow") this.#room.clear();
    if (this.#host.dataset.place !== before) this.#onMove();
  }

  // A keyboard on the screen covers the lower part of the window without making it smaller.
  #riseAboveKeyboard() {
    const { height, offsetTop, scale } = visualViewport;
    const covered = innerHeight - height - offsetTop;
    const rises = this.#active && this.#edge === "bottom" && this.#isOver && scale === 1 && covered > 1;
    if (rises) this.#host.style.setProperty("translate", `0 ${-covered}px`, "important");
    else this.#host.style.removeProperty("translate");
  }

  #release() {
    this.#room.clear();
    this.#enter(null);
    this.#setOnTop(false);
    delete this.#host.dataset.place;
    this.#host.toggleAttribute("data-folded", false);
    [this.#over, this.#folded] = [false, false];
    if (!this.#choice.edge) this.#edge = "top";
  }

  // Only what is within an open modal dialog can be used. Without one the banner is in the body.
  #enter(dialog) {
    if (this.#host.parentElement === (dialog ?? document.body)) return;
    if (dialog) dialog.append(this.#host);
    else document.body.prepend(this.#host);
  }

  #setOnTop(onTop) {
    const host = this.#host;
    if (!host.showPopover || !host.isConnected) return;
    if (!onTop) return host.removeAttribute("popover");
    if (host.popover !== "manual") host.popover = "manual";
    if (!host.matches(":popover-open")) host.showPopover();
  }
}

const openModal = () => (CSS.supports("selector(:modal)") && [...document.querySelectorAll("dialog:modal")].at(-1)) || null;

// Whether the children of an element stand side by side: in such a body the banner would be a column, so it lies over the page.
function laysOutInRows(element) {
  const { display, flexDirection } = getComputedStyle(element);
  return display.includes("grid") || (display.includes("flex") && !flexDirection.startsWith("column"));
}
