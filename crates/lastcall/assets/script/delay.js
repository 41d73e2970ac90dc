// Detects events that were delayed on their way: a computer that wakes up reads what the server sent while it slept.
//
// The clocks of browser and server may differ, but their difference is nearly constant. The smallest difference seen belongs to an
// event without a delay. After a clock was corrected, one query is made in vain.

const THRESHOLD_MS = 1_500;
// Delayed events arrive together. The server is asked after the last of them.
const SETTLE_MS = 100;

export class DelayDetector {
  #smallest = Infinity;
  #timer = null;
  #onDelay;

  // `onDelay()` asks the server for the current state.
  constructor(onDelay) {
    this.#onDelay = onDelay;
  }

  // Records the server time of an event. `check`: a delay of this event matters.
  record({ server_time: serverTime }, check) {
    if (!serverTime) return;
    const difference = Date.now() - Date.parse(serverTime);
    this.#smallest = Math.min(this.#smallest, difference);
    if (!check || difference - this.#smallest < THRESHOLD_MS) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#smallest = difference;
      this.#onDelay();
    }, SETTLE_MS);
  }
}
