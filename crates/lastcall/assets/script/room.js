// Room for the banner: it sticks to the top of the screen, and what has the focus must never lie under it.

class Room {
  #parts = new Set();
  #before = null;
  #observer = new ResizeObserver(() => this.measure());

  keepFrom(part) {
    if (!this.#parts.size) this.#before = root().scrollPaddingBlockStart;
    this.#parts.add(part);
    this.#observer.observe(part);
    this.measure();
    // The banner has come over what somebody is at: give it back.
    const focused = document.activeElement;
    if (!focused || focused === document.body || part.contains(focused) || host.contains(focused)) return;
    const [mine, theirs] = [part.getBoundingClientRect(), focused.getBoundingClientRect()];
    if (theirs.top < mine.bottom && theirs.bottom > mine.top) scrollBy({ top: theirs.top - mine.bottom - 8, behavior: "instant" });
  }

  free(part) {
    if (!this.#parts.delete(part)) return;
    this.#observer.unobserve(part);
    if (this.#parts.size) this.measure();
    else root().scrollPaddingBlockStart = this.#before;
  }

  measure() {
    if (!this.#parts.size) return;
    const height = Math.max(...[...this.#parts].map((part) => part.getBoundingClientRect().height));
    root().scrollPaddingBlockStart = `${Math.ceil(height) + 8}px`;
  }
}

const root = () => document.documentElement.style;
