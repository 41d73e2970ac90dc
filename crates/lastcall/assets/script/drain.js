// The notice that runs: counts it down, says it aloud at a few moments, and signs out in time.

const MOMENTS = [
  [60_000, words.minute],
  [30_000, words.half],
];

// Browsers leave a little before the end, each at its own moment within the last seconds: were it the same one, all
// would race the server's forced end together.
const LEAVE_EARLY_MS = [1_000, 4_000];

class Drain {
  #notice = null;
  #spoken = new Set();
  #leaveAt = 0;
  // Whether the server has said so since this page was last awake: nobody is signed out by what was saved before, or has been
  // taken back meanwhile.
  #confirmed = false;
  // Whether it ever has.
  #known = false;
  #isOver = false;
  #view;
  #leave;
  #over;
  #countdown;

  // `view` shows it; `leave()` signs out automatically; `over()` is told at the end of the time; `doubt()` asks the server for
  // the truth.
  constructor(view, leave, over, doubt) {
    this.#view = view;
    this.#leave = leave;
    this.#over = over;
    this.#countdown = new Countdown((left) => this.#tick(left), () => {
      this.#confirmed = false;
      doubt();
    });
    addEventListener("pageshow", (event) => event.persisted && this.#wake());
    document.addEventListener("resume", () => this.#wake());
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

  // `confirmed`: the server has just said so, and not a page that it wrote at some time.
  show(notice, confirmed = true) {
    // What happens at the end may change while the countdown runs: that is news as well.
    const known = ["forced_logout_at", "reason", "auto_logout", "stays_signed_in"]
      .every((field) => this.#notice?.[field] === notice[field]);
    if (!this.running) [this.#known, this.#isOver] = [false, false];
    this.#notice = notice;
    if (!known) {
      const share = Math.min(1, notice.remaining_ms / 20_000);
      const [least, most] = LEAVE_EARLY_MS.map((early) => early * share);
      this.#leaveAt = least + Math.random() * (most - least);
      this.#spoken = new Set(MOMENTS.filter(([at]) => at >= notice.remaining_ms).map(([at]) => at));
      this.#view.arrive(notice);
      say(words.message(notice, Math.ceil(notice.remaining_ms / 1000)));
      emit("drain", notice);
    }
    this.correct(notice.remaining_ms, confirmed);
  }

  // The server says once more how much is left.
  correct(remainingMs, confirmed = true) {
    if (!this.running) return;
    this.#confirmed = confirmed;
    this.#known ||= confirmed;
    this.#countdown.set(remainingMs);
    this.#view.correct(remainingMs);
  }

  // It was taken back.
  cancel(data) {
    if (!this.running) return;
    // An old page had it in it: there is nothing to take back.
    if (!this.#known) return this.stop();
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
      say(announcement);
    }
    if (this.#notice?.auto_logout && this.#confirmed && left <= this.#leaveAt && left > 0) {
      this.#leaveAt = -1;
      this.#leave();
    }
    if (left > 0) this.#isOver = false;
    else if (!this.#isOver) {
      this.#isOver = true;
      this.#over();
    }
  }

  #wake() {
    this.#confirmed = false;
    this.#countdown.refresh();
  }
}
