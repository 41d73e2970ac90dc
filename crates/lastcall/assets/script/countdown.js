// A true countdown: from what the server says is left, on the browser's monotonic clock. Ticks only redraw it, so
// that a hidden tab, where they come once a minute, shows the right time as soon as it is seen.

const TICK_MS = 250;
// What is heard has only ever been longer on its way: the earliest end that was heard of is the truest, and one that is a
// little later would only let a second be shown twice.
const NOISE_MS = 250;
// A pause between two ticks that no throttling explains: the computer slept, and the clock with it.
const SLEPT_MS = 5_000;

class Countdown {
  #endsAt = 0;
  #timer = null;
  #last = 0;
  #show;
  #slept;

  // `show(milliseconds left)` redraws; `slept()` is told when time has jumped.
  constructor(show, slept) {
    this.#show = show;
    this.#slept = slept;
  }

  get left() {
    return Math.max(0, this.#endsAt - performance.now());
  }

  // Starts, or corrects, the countdown.
  set(remainingMs) {
    const endsAt = performance.now() + remainingMs;
    const noise = this.#timer && endsAt > this.#endsAt && endsAt < this.#endsAt + NOISE_MS;
    if (!noise) this.#endsAt = endsAt;
    this.#last = Date.now();
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    this.#show(this.left);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick() {
    const now = Date.now();
    if (!document.hidden && now - this.#last > SLEPT_MS) this.#slept();
    this.#last = now;
    this.#show(this.left);
  }
}
