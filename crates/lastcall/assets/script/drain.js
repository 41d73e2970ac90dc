// The running notice: counts down, announces a few moments to screen readers, and triggers the automatic logout.

import { Countdown } from "./countdown.js";
import { emit } from "./page_events.js";

// Browsers log out at random moments shortly before the end. Otherwise all of them would race the server's forced end.
const LOGOUT_LEAD_MS = { min: 1_000, max: 4_000 };
// A shorter countdown shortens the lead in proportion.
const FULL_LEAD_FROM_MS = 20_000;
// A logout this long before the earliest automatic one still counts as the announced end.
const ENDING_TOLERANCE_MS = 1_000;
// The fields that make a notice a different one. What happens at the end may change while the countdown runs.
const IDENTITY = ["forced_logout_at", "reason", "auto_logout", "stays_signed_in"];

export class Drain {
  #banner;
  #title;
  #announce;
  #words;
  #onLogout;
  #onEnd;
  #countdown;
  #notice = null;
  // When to announce which text, and the moments that have been announced.
  #announcements;
  #announced = new Set();
  // The remaining time at which the automatic logout happens; -1 once it has been triggered.
  #logoutAt = 0;
  // Whether the server has confirmed the notice since this page last slept. A saved page may show a notice that was cancelled, which
  // must not log anybody out.
  #confirmed = false;
  // Whether the server has ever confirmed the notice.
  #everConfirmed = false;
  #ended = false;

  // `title` is null on a page that draws its own banner. `onLogout()` logs out automatically. `onEnd()` is called when the time is
  // over. `onDoubt()` asks the server for the current state.
  constructor({ banner, title, announce, words, onLogout, onEnd, onDoubt }) {
    this.#banner = banner;
    this.#title = title;
    this.#announce = announce;
    this.#words = words;
    this.#announcements = [
      [60_000, words.minute],
      [30_000, words.half],
    ];
    this.#onLogout = onLogout;
    this.#onEnd = onEnd;
    this.#countdown = new Countdown((remainingMs) => this.#tick(remainingMs), () => {
      this.#confirmed = false;
      onDoubt();
    });
    addEventListener("pageshow", (event) => event.persisted && this.#resume());
    document.addEventListener("resume", () => this.#resume());
  }

  get running() {
    return this.#notice !== null;
  }

  // The remaining time in milliseconds; 0 where no notice runs.
  get remainingMs() {
    return this.running ? this.#countdown.remainingMs : 0;
  }

  // Whether a logout at this moment is the announced one.
  get isEnding() {
    return this.running && this.#notice.auto_logout && this.remainingMs <= LOGOUT_LEAD_MS.max + ENDING_TOLERANCE_MS;
  }

  // Shows a notice. `confirmed` is false for a notice that was rendered into the page.
  show(notice, confirmed = true) {
    const same = IDENTITY.every((field) => this.#notice?.[field] === notice[field]);
    if (!this.running) [this.#everConfirmed, this.#ended] = [false, false];
    this.#notice = notice;
    if (!same) {
      const share = Math.min(1, notice.remaining_ms / FULL_LEAD_FROM_MS);
      const { min, max } = LOGOUT_LEAD_MS;
      this.#logoutAt = share * (min + Math.random() * (max - min));
      this.#announced = new Set(this.#announcements.filter(([at]) => at >= notice.remaining_ms).map(([at]) => at));
      this.#banner.showNotice(notice);
      this.#announce(this.#words.message(notice, Math.ceil(notice.remaining_ms / 1000)));
      emit("drain", notice);
    }
    this.correct(notice.remaining_ms, confirmed);
  }

  // Applies the remaining time that the server reports.
  correct(remainingMs, confirmed = true) {
    if (!this.running) return;
    this.#confirmed = confirmed;
    this.#everConfirmed ||= confirmed;
    this.#countdown.set(remainingMs);
    this.#banner.setEnd(remainingMs);
  }

  // Ends a notice that the server has cancelled.
  cancel(data) {
    if (!this.running) return;
    // The notice came from an outdated page only, so there is nothing to take back.
    if (!this.#everConfirmed) return this.stop();
    const { reason } = this.#notice;
    this.stop();
    this.#banner.showCancellation();
    this.#announce(this.#words.cancelled);
    emit("drain-cancelled", { reason, ...data });
  }

  // Hides the notice without a word: it no longer matters.
  stop() {
    if (!this.running) return;
    this.#notice = null;
    this.#countdown.stop();
    this.#banner.hideNotice();
    this.#title?.restore();
  }

  #tick(remainingMs) {
    this.#banner.tick(remainingMs);
    this.#title?.showTime(Math.ceil(remainingMs / 1000));
    for (const [at, text] of this.#announcements) {
      if (remainingMs > at || this.#announced.has(at)) continue;
      this.#announced.add(at);
      this.#announce(text);
    }
    if (this.#notice?.auto_logout && this.#confirmed && remainingMs <= this.#logoutAt && remainingMs > 0) {
      this.#logoutAt = -1;
      this.#onLogout();
    }
    if (remainingMs > 0) this.#ended = false;
    else if (!this.#ended) {
      this.#ended = true;
      this.#onEnd();
    }
  }

  #resume() {
    this.#confirmed = false;
    this.#countdown.refresh();
  }
}
