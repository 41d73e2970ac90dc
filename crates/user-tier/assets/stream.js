// The line to the server: an event stream with rules of its own for opening again, and where none can be had (other
// tabs have them all, or something on the way swallows it) a question every few seconds.

import { takePlace } from "./places.js";

const OPEN_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 4_000;
const ASK_AGAIN_MS = 1_500;
const BACKOFF_MS = { first: 1_000, most: 30_000 };
const ASK_EVERY_MS = { calm: 5_000, countdown: 2_000 };
// So many questions between two tries to have a stream after all.
const ASK_BEFORE_STREAM = 6;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const jitter = (ms) => ms * (0.5 + Math.random() / 2);

export class Line {
  #base;
  #heard;
  #state;
  #source = null;
  #leavePlace = null;
  #watchdog = null;
  #heartbeatMs = 15_000;
  #tries = 0;
  // Counts openings and closings: what belongs to an older one has nothing to say any more.
  #round = 0;
  #countsDown;
  // Another tab took this one's stream. It is taken back when this tab is looked at, and not before.
  #evicted = false;
  // Counts what the stream has said: an answer to a question that was asked before is older.
  #news = 0;
  // The session has ended: there is nothing more to hear, and the first reason that was given is the true one.
  #over = false;

  // `heard(name, data)` gets every event; `state(name)` how the line stands; `countsDown()` whether it is urgent.
  constructor(base, heard, state, countsDown) {
    this.#base = base;
    this.#heard = heard;
    this.#state = state;
    this.#countsDown = countsDown;
    // A page in the back/forward cache must not hold a connection, and must look again when it comes back.
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", () => this.open());
    addEventListener("online", () => this.open());
    document.addEventListener("visibilitychange", () => document.hidden || (this.#evicted ? this.open() : this.ask()));
  }

  async open() {
    if (this.#over) return;
    this.close();
    this.#evicted = false;
    const round = this.#round;
    this.#state(this.#tries ? "lost" : "opening");
    const leavePlace = await takePlace();
    if (round !== this.#round) return leavePlace?.();
    if (!leavePlace) return this.#poll(ASK_BEFORE_STREAM);
    this.#leavePlace = leavePlace;
    const source = new EventSource(`${this.#base}events`);
    this.#source = source;
    this.#watch(OPEN_WITHIN_MS, () => this.#poll(ASK_BEFORE_STREAM));
    for (const name of ["connected", "drain", "drain-cancelled", "session-ended", "stream-ended", "heartbeat"]) {
      source.addEventListener(name, (event) => round === this.#round && this.#receive(name, JSON.parse(event.data)));
    }
    // The browser's own way back is closed at once: it knows neither jitter nor a status other than 200.
    source.onerror = () => round === this.#round && this.#reopen();
  }

  close() {
    this.#round += 1;
    clearTimeout(this.#watchdog);
    this.#source?.close();
    this.#source = null;
    this.#leavePlace?.();
    this.#leavePlace = null;
  }

  // Asks the server for the truth; gives whether it answered. No session is an answer, too, if it is given twice: in
  // the moment of a sign-in in another tab the new cookie may still be on its way.
  async ask(doubtful = true) {
    if (this.#over) return true;
    const [round, news] = [this.#round, this.#news];
    try {
      const options = { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS), headers: { accept: "application/json" } };
      const answer = await fetch(`${this.#base}session`, options);
      if (round !== this.#round) return true;
      if (answer.status === 401 && doubtful) {
        await sleep(ASK_AGAIN_MS);
        return round === this.#round ? this.ask(false) : true;
      }
      if (answer.status === 401) {
        this.#end({ reason: "gone" });
        return true;
      }
      if (!answer.ok) return false;
      const session = await answer.json();
      if (news !== this.#news) delete session.drain;
      this.#heard("session", session);
      return true;
    } catch {
      return false;
    }
  }

  #receive(name, data) {
    this.#tries = 0;
    this.#news += 1;
    if (name === "connected") {
      this.#heartbeatMs = data.heartbeat_ms;
      this.#state("live");
    }
    this.#watch(this.#heartbeatMs * 2.5, () => this.#reopen());
    if (name === "session-ended") return this.#end(data);
    if (name === "stream-ended") {
      this.#evicted = true;
      this.#poll(Infinity);
      return;
    }
    this.#heard(name, data);
  }

  #end(data) {
    this.#over = true;
    this.close();
    this.#state("over");
    this.#heard("session-ended", data);
  }

  // A stream can look open and be dead: silence is what tells.
  #watch(ms, silent) {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(silent, ms);
  }

  async #reopen() {
    this.close();
    const round = this.#round;
    this.#state("lost");
    const pause = Math.min(BACKOFF_MS.first * 2 ** this.#tries, BACKOFF_MS.most);
    this.#tries += 1;
    await sleep(jitter(pause));
    if (round !== this.#round) return;
    // The status of a stream that was refused cannot be seen; that of a question can.
    const answered = await this.ask();
    if (round !== this.#round) return;
    if (answered) this.open();
    else this.#reopen();
  }

  async #poll(questions) {
    this.close();
    const round = this.#round;
    for (let asked = 0; asked < questions; asked += 1) {
      this.#state(this.#evicted ? "elsewhere" : "asking");
      await this.ask();
      await sleep(jitter(this.#countsDown() ? ASK_EVERY_MS.countdown : ASK_EVERY_MS.calm));
      if (round !== this.#round) return;
    }
    this.open();
  }
}
