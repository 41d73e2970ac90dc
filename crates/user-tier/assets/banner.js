// The banner: shows the notice that runs, says it aloud at a few moments, and leaves in time. Never takes the focus.

import { Countdown } from "./countdown.js";
import { words } from "./words.js";

const MOMENTS = [
  [60_000, words.announce.minute],
  [30_000, words.announce.half],
  [10_000, words.announce.ten],
  [0, words.announce.end],
];

// Browsers leave a little before the end, each at its own moment within the last seconds: were it the same one, all
// would race the server's forced end together.
const LEAVE_EARLY_MS = [1_000, 4_000];

// Who was told that they need not leave is to see it, not only to miss the banner.
const REPRIEVE_MS = 12_000;

const byId = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export class Banner {
  #title = document.title;
  #notice = null;
  #spoken = new Set();
  #leaveAt = 0;
  #leave;
  #countdown;
  #reprieve;

  // `leave()` signs out automatically; `doubt()` asks the server for the truth.
  constructor(leave, doubt) {
    this.#leave = leave;
    this.#countdown = new Countdown((left) => this.#draw(left), doubt);
  }

  get running() {
    return this.#notice !== null;
  }

  show(notice) {
    this.#endReprieve();
    const known = this.#notice?.forced_logout_at === notice.forced_logout_at && this.#notice?.reason === notice.reason;
    this.#notice = notice;
    if (!known) {
      const share = Math.min(1, notice.remaining_ms / 20_000);
      const [least, most] = LEAVE_EARLY_MS.map((early) => early * share);
      this.#leaveAt = least + Math.random() * (most - least);
      this.#spoken = new Set(MOMENTS.filter(([at]) => at >= notice.remaining_ms).map(([at]) => at));
      byId("drain-message").textContent = notice.message;
      const end = byId("drain-end");
      end.dateTime = notice.forced_logout_at;
      end.title = notice.forced_logout_at;
      say(notice.message);
    }
    byId("drain-banner").hidden = false;
    this.correct(notice.remaining_ms);
  }

  // The server says once more how much is left.
  correct(remainingMs) {
    if (!this.running) return;
    this.#countdown.set(remainingMs);
    // Shown in the browser's own time, however wrong its clock is: as far away as the countdown says.
    byId("drain-end").textContent = clock.format(new Date(Date.now() + remainingMs));
  }

  hide(announcement) {
    if (!this.running) return;
    this.#notice = null;
    this.#countdown.stop();
    byId("drain-banner").hidden = true;
    document.title = this.#title;
    if (!announcement) return;
    say(announcement);
    byId("reprieve").textContent = announcement;
    byId("reprieve").hidden = false;
    this.#reprieve = setTimeout(() => this.#endReprieve(), REPRIEVE_MS);
  }

  #endReprieve() {
    clearTimeout(this.#reprieve);
    byId("reprieve").hidden = true;
  }

  #draw(left) {
    const seconds = Math.ceil(left / 1000);
    const text = `${seconds}s`;
    if (byId("countdown").textContent !== text) byId("countdown").textContent = text;
    document.title = words.title(seconds, this.#title);
    byId("drain-banner").classList.toggle("urgent", left <= 10_000);
    for (const [at, announcement] of MOMENTS) {
      if (left > at || this.#spoken.has(at)) continue;
      this.#spoken.add(at);
      say(announcement);
    }
    if (this.#notice?.auto_logout && left <= this.#leaveAt && left > 0) {
      this.#leaveAt = -1;
      this.#leave();
    }
  }
}

function say(text) {
  byId("announcer").textContent = text;
}
