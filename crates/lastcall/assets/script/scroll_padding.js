// Scroll padding for the banner, which sticks to the top of the screen: the focused element must never lie under it.

const GAP_PX = 8;

const rootStyle = () => document.documentElement.style;

export class ScrollPadding {
  #host;
  // The visible parts of the banner.
  #parts = new Set();
  // The page's own padding.
  #original = null;
  #observer = new ResizeObserver(() => this.update());

  // `host`: the element of the script.
  constructor(host) {
    this.#host = host;
  }

  // Makes room for a part. Scrolls the focused element out from under it.
  add(part) {
    // A part whose body was replaced needs no room any more.
    for (const other of this.#parts) if (!other.isConnected) this.remove(other);
    if (!this.#parts.size) this.#original = rootStyle().scrollPaddingBlockStart;
    this.#parts.add(part);
    this.#observer.observe(part);
    this.update();
    // The part may still be moving into view, so its final place counts: the top of a scrolled page. On a page that is not scrolled
    // it has pushed the content down.
    const focused = document.activeElement;
    if (!focused || focused === document.body || part.contains(focused) || this.#host.contains(focused) || scrollY === 0) return;
    const [height, box] = [part.offsetHeight, focused.getBoundingClientRect()];
    if (box.top < height && box.bottom > 0) scrollBy({ top: box.top - height - GAP_PX, behavior: "instant" });
  }

  remove(part) {
    if (!this.#parts.delete(part)) return;
    this.#observer.unobserve(part);
    if (this.#parts.size) this.update();
    else rootStyle().scrollPaddingBlockStart = this.#original;
  }

  update() {
    if (!this.#parts.size) return;
    const height = Math.max(...[...this.#parts].map((part) => part.offsetHeight));
    rootStyle().scrollPaddingBlockStart = `${height + GAP_PX}px`;
  }
}
