// The connection to the server: one event stream for all tabs of a browser. The tab that holds the lock leads: it opens the stream
// and forwards the events to the other tabs, which follow. A tab without a stream or a leader polls `GET /session`.
//
// A stream that ends is opened again at once, since its session may have moved to another pod. Where a pod asks the page to move, the
// stream is closed and opened again. The state does not change meanwhile: pages show nothing of it.

import { EventStream } from "./event_stream.js";
import { Follower } from "./follower.js";
import { Handoff, SETTLED_AFTER_MS, randomDelay } from "./handoff.js";
import { onPageLifecycle } from "./page_lifecycle.js";
import { SessionState } from "./session_state.js";
import { StreamLock } from "./stream_lock.js";
import { sleep } from "./time.js";

const BACKOFF_MS = { first: 1_000, max: 30_000 };
const POLL_INTERVAL_MS = { idle: 5_000, countdown: 2_000 };
// The number of polls between two attempts to open a stream.
const POLLS_PER_ATTEMPT = 6;
// A stream that was connected for this long starts the back-off anew.
const STABLE_MS = 1_000;
// How often in a row a stream that ends is opened again at once: a session without sticky routes may move twice.
const MAX_QUICK = 3;
// How long a stream may be away before the page says so: the server expects a page that moves back within 3 s.
const QUIET_MS = { moving: 3_000, otherwise: 1_500 };
// How long a stream may be away while pages are still asked whether to move.
const ASKING_WITHOUT_STREAM_MS = 2_000;

// How long pages may save before a move that a user has asked for.
const CLICK_SAVING_MS = 2_000;

const jitter = (ms) => ms * (0.5 + Math.random() / 2);

export class Connection {
  #options;
  #lock;
  #follower;
  #session;
  #state = "opening";
  #stream = null;
  #attempts = 0;
  // Counts starts and stops. What belongs to an earlier round has no effect any more.
  #round = 0;
  // The round in which the lock is being acquired.
  #openingRound = -1;
  // Another browser took over this session's stream. This page takes it back only when it becomes visible.
  #evicted = false;
  #handoff = new Handoff();
  // The answer of the pages, while they are asked whether to move.
  #asking = null;
  // An attempt to move has begun.
  #moving = false;
  // A user has asked for the move, and is told where it fails.
  #clicked = false;
  // Runs while the stream is away and the page does not say so yet.
  #quiet = null;

  // `options`: `routes`, the path of the service's own routes; `tabScoped`, whether every tab has a session of its own; `known`,
  // whether the server rendered this page for a session; `locks`, see `leader_lock.js`; `shared`, whether the tabs of this browser
  // share a stream; `consents`, which open and close with the connection; `moveConsent`, one of them; `onEvent(name, data)`;
  // `onState(state)`; `isUrgent()`, whether to poll more often.
  constructor(options) {
    this.#options = options;
    this.#session = new SessionState(options, {
      forward: (name, data) => this.#leads && this.#follower.send({ type: "event", name, data }),
      stop: (state) => {
        this.close();
        this.#setState(state);
      },
      open: () => this.open(),
    });
    this.#lock = new StreamLock(options.locks, options.tabScoped, () => {
      // Another tab had a reason to steal the lock, so it is not taken back.
      this.#begin();
      this.#continueWithoutLock(true);
    });
    const followerCallbacks = {
      isLeader: () => this.#leads,
      currentState: () => ({ state: this.#state, connected: this.#session.connected }),
      receive: (name, data) => this.#session.receiveForwarded(name, data),
      setState: (state) => this.#setState(state),
      ask: () => this.ask(),
      takeOver: (steal) => this.open(steal),
      tabVisible: () => this.#evicted && this.open(),
      move: () => this.move(),
    };
    this.#follower = new Follower(followerCallbacks, options.shared);
    onPageLifecycle({
      suspend: () => this.close(),
      resume: () => (this.#session.isMissing ? this.ask() : this.open()),
      offline: () => this.#goOffline(),
      online: () => (this.#follower.follows || this.#session.isMissing ? this.ask() : this.open()),
      visible: () => this.#becomeVisible(),
    });
  }

  // Opens the stream where this tab holds the lock or gets it; otherwise follows the leader, or polls.
  async open(steal = false) {
    if (this.isOver || this.#openingRound === this.#round) return;
    this.#lock.open();
    for (const consent of this.#options.consents) consent.open();
    this.#follower.open();
    if (this.#lock.held) return this.#listen();
    const round = this.#begin();
    this.#openingRound = round;
    const taken = await this.#lock.acquire(steal, () => round !== this.#round);
    if (round !== this.#round) return;
    this.#openingRound = -1;
    if (this.#lock.held) this.#listen();
    else this.#continueWithoutLock(taken);
  }

  close() {
    this.#begin();
    const led = this.#leads;
    this.#lock.release();
    if (led) this.#follower.send({ type: "bye" });
    this.#lock.close();
    for (const consent of this.#options.consents) consent.close();
    this.#follower.close();
    clearTimeout(this.#quiet);
    this.#quiet = null;
    this.#attempts = 0;
  }

  // Queries the session. Resolves to the kind of answer: `server`, `cache` or `none`.
  ask() {
    const round = this.#round;
    return this.#session.ask(() => round !== this.#round);
  }

  // Moves to another pod at once, as if the pod had asked, since the user has asked. The event `move-failed` follows where that leads
  // back to the same pod.
  async move() {
    if (this.#follower.follows) return this.#follower.send({ type: "move" });
    const { pod, drain } = this.#session.connected ?? {};
    this.#clicked = true;
    if (this.#stream && drain) {
      this.#handoff.announce(pod, drain.remaining_ms);
      return this.#requestMove(drain);
    }
    await this.ask();
    this.#reportFailedMove();
  }

  // Ends the connection after this tab has signed out, and tells the other tabs, whether this one leads or follows.
  signedOut(automatic) {
    if (this.isOver) return;
    this.#session.isOver = true;
    this.#follower.send({ type: "event", name: "session-ended", data: { reason: "logout", automatic } });
    this.close();
    this.#setState("over");
  }

  // Whether events arrive, over this tab's stream or the leader's.
  get isLive() {
    return this.#state === "live";
  }

  // Whether the session has ended.
  get isOver() {
    return this.#session.isOver;
  }

  get #leads() {
    return this.#options.shared && this.#lock.held;
  }

  // Starts a new round: ends the stream, following and waiting of the one before.
  #begin() {
    this.#follower.stop();
    this.#stream?.close();
    this.#stream = null;
    this.#lock.stopWaiting();
    this.#options.moveConsent.reset();
    this.#asking = null;
    this.#moving = false;
    return (this.#round += 1);
  }

  // Follows the leader and waits for the lock where another tab has taken it; otherwise polls.
  async #continueWithoutLock(taken) {
    if (!this.#options.shared || !taken) return this.#poll(POLLS_PER_ATTEMPT);
    this.#follower.follow();
    const round = this.#round;
    await this.#lock.waitFor(() => round !== this.#round);
    if (round === this.#round && this.#lock.held) this.#listen();
  }

  // Opens the stream. `isAttempt`: to move, or to follow a session that has moved.
  #listen(isAttempt = false) {
    const round = this.#begin();
    this.#evicted = false;
    this.#handoff.opening(isAttempt);
    this.#setWaiting(this.#attempts ? "lost" : "opening");
    const current = (handle) => (...values) => round === this.#round && handle(...values);
    this.#stream = new EventStream(`${this.#options.routes}events`, {
      onEvent: current((name, data) => this.#receive(name, data)),
      onBlocked: current(() => this.#poll(POLLS_PER_ATTEMPT)),
      onSilent: current(() => this.#streamSilent()),
      onEnded: current(() => this.#streamEnded()),
    });
  }

  #receive(name, data) {
    if (name === "connected") {
      this.#handoff.connected();
      if (this.#clicked) this.#expectToStay();
    }
    if (name === "stream-ended") {
      this.#evicted = true;
      this.#poll(Infinity);
      return;
    }
    if (name !== "session-ended") this.#setState("live");
    this.#session.receive(name, data);
    if (name === "move") this.#receiveMove(data);
  }

  #receiveMove(data) {
    this.#handoff.announce(this.#session.connected?.pod, data.remaining_ms);
    // The pages were asked before the attempt that has led back here.
    if (this.#handoff.hasReturned) this.#attemptMove();
    else this.#requestMove(data);
  }

  // Asks the pages of all tabs, which may save and may object, and moves. A page that objects is asked again when the pod asks again.
  // A user's own click is not objected to, and waits only shortly, also where the pages are being asked already.
  async #requestMove({ reason, forced_logout_at, remaining_ms }) {
    if (this.#moving || (this.#asking && !this.#clicked)) return;
    const round = this.#round;
    const detail = { reason, forced_logout_at, remaining_ms, automatic: !this.#clicked };
    this.#asking ??= this.#options.moveConsent.request(detail, remaining_ms);
    const consented = await (this.#clicked ? Promise.race([this.#asking, sleep(CLICK_SAVING_MS)]) : this.#asking);
    if (round !== this.#round) return;
    this.#options.moveConsent.reset();
    this.#asking = null;
    if (consented || this.#clicked) this.#attemptMove();
  }

  // Closes the stream and opens it again, at another pod where the way leads there.
  async #attemptMove() {
    if (this.#moving) return;
    this.#moving = true;
    let round = this.#round;
    const isRetry = this.#handoff.takeRetry();
    const pause = isRetry || this.#clicked ? 0 : this.#handoff.pauseMs;
    if (pause) await sleep(pause);
    if (round !== this.#round) return;
    round = this.#begin();
    this.#keepQuiet(QUIET_MS.moving);
    if (!isRetry) await sleep(randomDelay());
    if (round === this.#round) this.#listen(true);
  }

  // A stream that stays where it was opened has not moved.
  async #expectToStay() {
    const round = this.#round;
    await sleep(SETTLED_AFTER_MS);
    if (round === this.#round) this.#reportFailedMove();
  }

  #reportFailedMove() {
    if (this.#clicked) this.#session.receive("move-failed", {});
    this.#clicked = false;
  }

  async #streamEnded() {
    const { connectedMs, isAnnounced } = this.#handoff;
    if (!this.#forgetFailures()) this.#attempts += 1;
    if (Number.isNaN(connectedMs) || !(isAnnounced || this.#attempts <= MAX_QUICK)) return this.#reopen();
    this.#keepQuiet(isAnnounced ? QUIET_MS.moving : QUIET_MS.otherwise);
    const round = this.#round;
    // Pages that are still saving keep a session that has no stream only for a while: the pod does not wait for it.
    const pause = sleep(ASKING_WITHOUT_STREAM_MS);
    if (this.#asking && !(await Promise.race([this.#asking, pause.then(() => true)]))) await pause;
    if (round === this.#round) this.#attemptMove();
  }

  #streamSilent() {
    this.#forgetFailures();
    this.#reopen();
  }

  // Starts the back-off anew after a stream that was stable. Returns whether it was.
  #forgetFailures() {
    const wasStable = this.#handoff.connectedMs >= STABLE_MS;
    if (wasStable) this.#attempts = 0;
    return wasStable;
  }

  // Says only later that the stream is away, and not at all where it is back by then.
  #keepQuiet(ms) {
    this.#quiet ??= setTimeout(() => this.#setState("lost"), ms);
  }

  async #reopen() {
    const round = this.#begin();
    this.#setWaiting("lost");
    const delay = Math.min(BACKOFF_MS.first * 2 ** this.#attempts, BACKOFF_MS.max);
    this.#attempts += 1;
    await sleep(jitter(delay));
    if (round !== this.#round) return;
    // `EventSource` hides the status of a refused stream, so the session is queried.
    const answered = await this.ask();
    if (round !== this.#round) return;
    if (answered === "none") this.#reopen();
    else this.open();
  }

  async #poll(count) {
    const round = this.#begin();
    for (let polls = 0; polls < count; polls += 1) {
      const answered = await this.ask();
      if (round !== this.#round) return;
      this.#setState(answered === "none" ? "lost" : this.#evicted ? "elsewhere" : "asking");
      await sleep(jitter(this.#options.isUrgent() ? POLL_INTERVAL_MS.countdown : POLL_INTERVAL_MS.idle));
      if (round !== this.#round) return;
    }
    this.open();
  }

  // The browser notices a lost network before the stream falls silent. Where it is wrong, the next event corrects the state.
  #goOffline() {
    if (["opening", "live", "asking"].includes(this.#state)) this.#setState("lost");
  }

  #becomeVisible() {
    this.#follower.send({ type: "visible" });
    const mayOpen = this.#evicted || (!this.#options.locks.exclusive && !this.#lock.held);
    if (mayOpen && !this.#session.isMissing) this.open();
    else this.ask();
  }

  // Sets the state of a page without a stream, unless it keeps quiet.
  #setWaiting(state) {
    if (this.#quiet === null) this.#setState(state);
  }

  #setState(state) {
    clearTimeout(this.#quiet);
    this.#quiet = null;
    if (state === this.#state) return;
    this.#state = state;
    if (this.#leads) this.#follower.send({ type: "state", state, connected: this.#session.connected });
    this.#options.onState(state);
  }
}
