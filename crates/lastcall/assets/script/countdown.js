// A countdown of the remaining time that the server reports, on the browser's monotonic clock. Its ticks only redraw it, so that a
// hidden tab, whose timers run once a minute, shows the right time as soon as it becomes visible.

import { timestamp } from "./time.js";

const TICK_MS = 250;
// Messages can only arrive late, so the earliest end that was reported is the most accurate. An end that is later by less than this
// is ignored: it would show a second twice.
const TOLERANCE_MS = 250;
// The monotonic clock lags behind the wall clock by more than this between two ticks after the computer has slept. The rare ticks of a
// hidden tab do not show such a difference.
const SLEEP_THRESHOLD_MS = 1_500;

export class Countdown {
  #endsAt = 0;
  #timer = null;
  #lastTick = timestamp();
  #onTick;
  #onSleep;

  // `onTick(remainingMs)` redraws the countdown. `onSleep()` is called after the computer has slept.
  constructor(onTick, onSleep) {
    this.#onTick = onTick;
    this.#onSleep = onSleep;
  }

  get remainingMs() {
    return Math.max(0, this.#endsAt - performance.now());
  }

  // Starts or corrects the countdown.
  set(remainingMs) {
    const endsAt = performance.now() + remainingMs;
    const insignificant = this.#timer && endsAt > this.#endsAt && endsAt < this.#endsAt + TOLERANCE_MS;
    if (!insignificant) this.#endsAt = endsAt;
    this.#lastTick = timestamp();
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    this.#onTick(this.remainingMs);
  }

  // Redraws at once: a page from the back/forward cache is visible before its next tick.
  refresh() {
    if (this.#timer) this.#tick();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick() {
    const [last, now] = [this.#lastTick, timestamp()];
    this.#lastTick = now;
    if (now.wall - last.wall - (now.monotonic - last.monotonic) > SLEEP_THRESHOLD_MS) this.#onSleep();
    this.#onTick(this.remainingMs);
  }
}
