// The connection to the server: one event stream for all tabs of a browser. The tab that holds the lock leads: it opens the stream
// and forwards the events to the other tabs, which follow. A tab without a stream or a leader polls `GET /session`.

import { EventStream } from "./event_stream.js";
import { Follower } from "./follower.js";
import { onPageLifecycle } from "./page_lifecycle.js";
import { SessionState } from "./session_state.js";
import { StreamLock } from "./stream_lock.js";
import { sleep } from "./time.js";

const BACKOFF_MS = { first: 1_000, max: 30_000 };
const POLL_INTERVAL_MS = { idle: 5_000, countdown: 2_000 };
// The number of polls between two attempts to open a stream.
const POLLS_PER_ATTEMPT = 6;

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

  // `options`: `routes`, the path of the service's own routes; `tabScoped`, whether every tab has a session of its own; `known`,
  // whether the server rendered this page for a session; `locks`, see `leader_lock.js`; `shared`, whether the tabs of this browser
  // share a stream; `consent`, which opens and closes with the connection; `onEvent(name, data)`; `onState(state)`; `isUrgent()`,
  // whether to poll more often.
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
    this.#options.consent.open();
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
    this.#options.consent.close();
    this.#follower.close();
  }

  // Queries the session. Resolves to the kind of answer: `server`, `cache` or `none`.
  ask() {
    const round = this.#round;
    return this.#session.ask(() => round !== this.#round);
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

  #listen() {
    const round = this.#begin();
    this.#evicted = false;
    this.#setState(this.#attempts ? "lost" : "opening");
    this.#stream = new EventStream(
      `${this.#options.routes}events`,
      (name, data) => round === this.#round && this.#receive(name, data),
      () => round === this.#round && this.#poll(POLLS_PER_ATTEMPT),
      () => round === this.#round && this.#reopen(),
    );
  }

  #receive(name, data) {
    this.#attempts = 0;
    if (name === "stream-ended") {
      this.#evicted = true;
      this.#poll(Infinity);
      return;
    }
    if (name !== "session-ended") this.#setState("live");
    this.#session.receive(name, data);
  }

  async #reopen() {
    const round = this.#begin();
    this.#setState("lost");
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

  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    if (this.#leads) this.#follower.send({ type: "state", state, connected: this.#session.connected });
    this.#options.onState(state);
  }
}
