// A true countdown: from what the server says is left, on the browser's monotonic clock. Ticks only redraw it, so
// that a hidden tab, where they come once a minute, shows the right time as soon as it is seen.

const TICK_MS = 250;
// What is heard has only ever been longer on its way: the earliest end that was heard of is the truest, and one that is a
// little later would only let a second be shown twice.
const NOISE_MS = 250;
// The monotonic clock has fallen behind the other one: the computer slept, and it slept as well. Compared like this, the
// rare ticks of a hidden tab do not look like sleep.
const SLEPT_MS = 1_500;

class Countdown {
  #endsAt = 0;
  #timer = null;
  #last = moment();
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
    this.#last = moment();
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    this.#show(this.left);
  }

  // Draws what is true now: a page that comes out of the back/forward cache is seen before its next tick.
  refresh() {
    if (this.#timer) this.#tick();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick() {
    const [last, now] = [this.#last, moment()];
    this.#last = now;
    if (now.wall - last.wall - (now.steady - last.steady) > SLEPT_MS) this.#slept();
    this.#show(this.left);
  }
}
