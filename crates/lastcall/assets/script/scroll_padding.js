// Scroll padding for the banner, which stays at the top or the bottom of the screen: the focused element must never lie under it.

const GAP_PX = 8;

const rootStyle = () => document.documentElement.style;

export class ScrollPadding {
  #host;
  #edge;
  // The visible parts of the banner.
  #parts = new Set();
  // The page's own padding.
  #original = null;
  #observer = new ResizeObserver(() => this.update());

  // `host`: the element of the script. `edge()`: the edge of the screen at which the banner is, `top` or `bottom`.
  constructor(host, edge) {
    this.#host = host;
    this.#edge = edge;
  }

  // Makes room for a part. Scrolls the focused element out from under it.
  add(part) {
    // A part whose body was replaced needs no room any more.
    for (const other of this.#parts) if (!other.isConnected) this.remove(other);
    const { scrollPaddingBlockStart, scrollPaddingBlockEnd } = rootStyle();
    if (!this.#parts.size) this.#original = { scrollPaddingBlockStart, scrollPaddingBlockEnd };
    this.#parts.add(part);
    this.#observer.observe(part);
    this.update();
    const focused = document.activeElement;
    if (!focused || focused === document.body || part.contains(focused) || this.#host.contains(focused)) return;
    if (this.#edge() === "bottom") return focused.scrollIntoView({ block: "nearest", behavior: "instant" });
    // The part may still be moving into view, so its final place counts: the top of a scrolled page. On a page that is not scrolled
    // it has pushed the content down.
    if (scrollY === 0) return;
    const [height, box] = [part.offsetHeight, focused.getBoundingClientRect()];
    if (box.top < height && box.bottom > 0) scrollBy({ top: box.top - height - GAP_PX, behavior: "instant" });
  }

  remove(part) {
    if (!this.#parts.delete(part)) return;
    this.#observer.unobserve(part);
    if (this.#parts.size) this.update();
    else Object.assign(rootStyle(), this.#original);
  }

  update() {
    if (!this.#parts.size) return;
    const height = Math.max(...[...this.#parts].map((part) => part.offsetHeight));
    const side = this.#edge() === "bottom" ? "scrollPaddingBlockEnd" : "scrollPaddingBlockStart";
    Object.assign(rootStyle(), this.#original, { [side]: `${height + GAP_PX}px` });
  }
}
