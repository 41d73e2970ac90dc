// Room for the banner: it sticks to the top of the screen, and what has the focus must never lie under it.

const AIR_PX = 8;

class Room {
  #parts = new Set();
  #before = null;
  #observer = new ResizeObserver(() => this.measure());

  keepFrom(part) {
    // What went with a body that was replaced needs no room any more.
    for (const other of this.#parts) if (!other.isConnected) this.free(other);
    if (!this.#parts.size) this.#before = root().scrollPaddingBlockStart;
    this.#parts.add(part);
    this.#observer.observe(part);
    this.measure();
    // Where it has come over what somebody is at, that is given back. The banner may still be moving in: its place is what
    // counts, at the top of a page that was scrolled; otherwise it has pushed everything down.
    const focused = document.activeElement;
    if (!focused || focused === document.body || part.contains(focused) || host.contains(focused) || scrollY === 0) return;
    const [height, theirs] = [part.offsetHeight, focused.getBoundingClientRect()];
    if (theirs.top < height && theirs.bottom > 0) scrollBy({ top: theirs.top - height - AIR_PX, behavior: "instant" });
  }

  free(part) {
    if (!this.#parts.delete(part)) return;
    this.#observer.unobserve(part);
    if (this.#parts.size) this.measure();
    else root().scrollPaddingBlockStart = this.#before;
  }

  measure() {
    if (!this.#parts.size) return;
    const height = Math.max(...[...this.#parts].map((part) => part.offsetHeight));
    root().scrollPaddingBlockStart = `${height + AIR_PX}px`;
  }
}

const root = () => document.documentElement.style;
