// The button `Move Now`: moves to another pod at once, as if the pod had asked.

import { sleep } from "./time.js";

// How long a click waits for an answer. Pages may still be saving, or the tab that holds the stream may be busy.
const TIMEOUT_MS = 15_000;

export class MoveNow {
  #parts;
  #settle = null;

  // `parts`: `words`, `banner`, `announce`, `drain`, `connection`.
  constructor(parts) {
    this.#parts = parts;
  }

  // Resolves to whether the page is at another pod now.
  async run() {
    if (this.#settle) return false;
    const { words, banner, announce, drain, connection } = this.#parts;
    const settled = new Promise((resolve) => (this.#settle = resolve));
    banner.showProblem("");
    banner.setBusy(true);
    announce(words.moving);
    connection.move();
    const moved = (await Promise.race([settled, sleep(TIMEOUT_MS)])) === true;
    this.#settle = null;
    banner.setBusy(false);
    if (!moved && drain.moves) banner.showProblem(words.notMoved);
    return moved;
  }

  // Reports what became of a click.
  settle(moved) {
    this.#settle?.(moved);
  }
}
