// The notice that runs: counts it down, says it aloud at a few moments, and signs out in time.

const MOMENTS = [
  [60_000, words.minute],
  [30_000, words.half],
  [0, words.end],
];

// Browsers leave a little before the end, each at its own moment within the last seconds: were it the same one, all
// would race the server's forced end together.
const LEAVE_EARLY_MS = [1_000, 4_000];

class Drain {
  #notice = null;
  #spoken = new Set();
  #leaveAt = 0;
  #view;
  #leave;
  #countdown;

  // `view` shows it; `leave()` signs out automatically; `doubt()` asks the server for the truth.
  constructor(view, leave, doubt) {
    this.#view = view;
    this.#leave = leave;
    this.#countdown = new Countdown((left) => this.#tick(left), doubt);
  }

  get running() {
    return this.#notice !== null;
  }

  // How much time is left, in milliseconds; none where nothing runs.
  get left() {
    return this.running ? this.#countdown.left : 0;
  }

  // Whether a sign-out now is the one that was announced.
  get isEnding() {
    return this.running && this.#notice.auto_logout && this.#countdown.left <= LEAVE_EARLY_MS[1] + 1_000;
  }

  show(notice) {
    // What happens at the end may change while the countdown runs: that is news as well.
    const known = ["forced_logout_at", "reason", "auto_logout", "stays_signed_in"]
      .every((field) => this.#notice?.[field] === notice[field]);
    this.#notice = notice;
    if (!known) {
      const share = Math.min(1, notice.remaining_ms / 20_000);
      const [least, most] = LEAVE_EARLY_MS.map((early) => early * share);
      this.#leaveAt = least + Math.random() * (most - least);
      this.#spoken = new Set(MOMENTS.filter(([at]) => at >= notice.remaining_ms).map(([at]) => at));
      this.#view.arrive(notice);
      say(words.message(notice));
      emit("drain", notice);
    }
    this.correct(notice.remaining_ms);
  }

  // The server says once more how much is left.
  correct(remainingMs) {
    if (!this.running) return;
    this.#countdown.set(remainingMs);
    this.#view.correct(remainingMs);
  }

  // It was taken back.
  cancel(data) {
    if (!this.running) return;
    const { reason } = this.#notice;
    this.stop();
    this.#view.cancelled();
    say(words.cancelled);
    emit("drain-cancelled", { reason, ...data });
  }

  // It is of no importance any more.
  stop() {
    if (!this.running) return;
    this.#notice = null;
    this.#countdown.stop();
    this.#view.gone();
    title.restore();
  }

  #tick(left) {
    this.#view.tick(left);
    if (!drawsItself) title.show(Math.ceil(left / 1000));
    for (const [at, announcement] of MOMENTS) {
      if (left > at || this.#spoken.has(at)) continue;
      this.#spoken.add(at);
      if (at > 0 || !this.#notice.stays_signed_in) say(announcement);
    }
    if (this.#notice?.auto_logout && left <= this.#leaveAt && left > 0) {
      this.#leaveAt = -1;
      this.#leave();
    }
  }
}
