// The running notice: counts down, announces a few moments to screen readers, and triggers the automatic logout.
//
// While the session has work in progress that the server waits for, it is protected: the countdown runs to a deadline of its own, and
// the page does not log out by itself.

import { Countdown } from "./countdown.js";
import { emit } from "./page_events.js";

// Browsers log out at random moments shortly before the end. Otherwise all of them would race the server's forced end.
const LOGOUT_LEAD_MS = { min: 1_000, max: 4_000 };
// A shorter countdown shortens the lead in proportion.
const FULL_LEAD_FROM_MS = 20_000;
// A logout this long before the earliest automatic one still counts as the announced end.
const ENDING_TOLERANCE_MS = 1_000;
// Where protection ends after the deadline of all sessions, or within this before it, the page logs out a random moment later.
const OVERDUE_BELOW_MS = 1_000;
const OVERDUE_LOGOUT_MS = { min: 200, max: 1_200 };
// How long that logout may take.
const OVERDUE_TIMEOUT_MS = 5_000;
// With less time left than this, the end of protection is not announced: the logout is.
const ANNOUNCE_FROM_MS = 5_000;
// Remaining times that differ by more belong to different deadlines.
const AGREEMENT_MS = 2_000;
// The fields that make a notice a different one, besides its deadline. What happens at the end may change while the countdown runs.
const IDENTITY = ["reason", "auto_logout", "stays_signed_in", "moves"];

// The deadline of all sessions. That of a protected session is `grace_ms` later.
const commonDeadline = (notice) => Date.parse(notice.forced_logout_at) - (notice.grace_ms ?? 0);

const isSame = (one, other) =>
  one !== null && commonDeadline(one) === commonDeadline(other) && IDENTITY.every((field) => one[field] === other[field]);

export class Drain {
  #banner;
  #title;
  #announce;
  #words;
  #describeWork;
  #onLogout;
  #onEnd;
  #countdown;
  #notice = null;
  // When to announce which text, and the moments that have been announced.
  #announcements;
  #announced = new Set();
  // The remaining time at which the automatic logout happens; -1 once it has been triggered.
  #logoutAt = 0;
  // When an overdue logout happens, and until when it may take.
  #overdue = { from: Infinity, until: 0 };
  // Whether the session has been protected since the notice began.
  #wasProtected = false;
  // Whether the server has confirmed the notice since this page last slept. A saved page may show a notice that was cancelled, which
  // must not log anybody out.
  #confirmed = false;
  // Whether the server has ever confirmed the notice.
  #everConfirmed = false;
  #ended = false;

  // `title` is null on a page that draws its own banner. `describeWork(notice)` says what becomes of the work in progress. `onLogout()`
  // logs out automatically. `onEnd()` is called when the time is over. `onDoubt()` asks the server for the current state.
  constructor({ banner, title, announce, words, describeWork, onLogout, onEnd, onDoubt }) {
    this.#banner = banner;
    this.#title = title;
    this.#announce = announce;
    this.#words = words;
    this.#describeWork = describeWork;
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

  // Whether the session can move to another pod before the end.
  get moves() {
    return this.running && this.#notice.moves === true;
  }

  // The remaining time in milliseconds; 0 where no notice runs.
  get remainingMs() {
    return this.running ? this.#countdown.remainingMs : 0;
  }

  // Whether a logout at this moment is the announced one.
  get isEnding() {
    return this.mayLogOut && this.#notice.auto_logout && this.remainingMs <= LOGOUT_LEAD_MS.max + ENDING_TOLERANCE_MS;
  }

  // Whether the server waits for work of this session.
  get isProtected() {
    return this.running && this.#notice.protected === true;
  }

  // Whether a forced end at this moment is the one that the banner has announced: work was waited for beyond the deadline. Where the
  // operator hurries, it is not.
  get isAnnouncedEnd() {
    return this.running && this.#wasProtected && this.remainingMs <= (this.#notice.grace_ms ?? 0) + ENDING_TOLERANCE_MS;
  }

  // Whether an automatic logout would be true to the notice.
  get mayLogOut() {
    return this.running && !this.isProtected;
  }

  // The milliseconds that an automatic logout may take.
  get logoutTimeMs() {
    return this.mayLogOut ? Math.max(this.remainingMs, this.#overdue.until - performance.now(), 0) : 0;
  }

  // Whether the remaining time that the server reports, `undefined` without a notice, belongs to what this page shows.
  agreesWith(remainingMs) {
    if (remainingMs === undefined || !this.running) return (remainingMs !== undefined) === this.running;
    return Math.abs(remainingMs - this.remainingMs) < AGREEMENT_MS;
  }

  // Shows a notice. `confirmed` is false for a notice that was rendered into the page.
  show(notice, confirmed = true) {
    const isNew = !isSame(this.#notice, notice);
    const changed = isNew || this.isProtected !== (notice.protected === true);
    if (!this.running) [this.#everConfirmed, this.#ended] = [false, false];
    this.#notice = notice;
    if (isNew) [this.#wasProtected, this.#announced] = [false, new Set()];
    if (changed) {
      this.#wasProtected ||= this.isProtected;
      this.#planLogout(notice.remaining_ms);
      this.#banner.showNotice(notice, isNew);
      this.#announceNotice(notice, isNew);
      emit("drain", notice);
    }
    this.correct(notice.remaining_ms, confirmed);
  }

  // Draws the moment of the automatic logout.
  #planLogout(remainingMs) {
    const random = ({ min, max }) => min + Math.random() * (max - min);
    const isOverdue = this.mayLogOut && remainingMs < OVERDUE_BELOW_MS;
    this.#logoutAt = isOverdue ? -1 : Math.min(1, remainingMs / FULL_LEAD_FROM_MS) * random(LOGOUT_LEAD_MS);
    const from = isOverdue ? performance.now() + random(OVERDUE_LOGOUT_MS) : Infinity;
    this.#overdue = { from, until: isOverdue ? from + OVERDUE_TIMEOUT_MS : 0 };
  }

  // Announces a new notice, and the first beginning and the first end of protection: an upload that stalls and goes on again must not
  // be announced each time. Moments that the new deadline leaves out are not announced later.
  #announceNotice(notice, isNew) {
    const { remaining_ms: remaining } = notice;
    for (const [at] of this.#announcements) if (at >= remaining) this.#announced.add(at);
    const message = this.#words.message(notice, Math.ceil(remaining / 1000));
    const work = this.isProtected && this.#describeWork(notice);
    if (isNew) this.#announce(work ? `${message} ${work}` : message);
    else if (work && !this.#announced.has(work)) this.#announce(work);
    else if (!work && remaining > ANNOUNCE_FROM_MS && !this.#announced.has("unprotected")) this.#announce(message);
    this.#announced.add(work || (isNew ? "" : "unprotected"));
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
    const isDue = remainingMs > 0 ? remainingMs <= this.#logoutAt : performance.now() >= this.#overdue.from;
    if (isDue && this.mayLogOut && this.#notice.auto_logout && this.#confirmed) {
      this.#logoutAt = -1;
      this.#overdue.from = Infinity;
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
