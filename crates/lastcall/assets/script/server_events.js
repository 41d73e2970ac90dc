// Applies the server's events, and its answers to queries, to the page.

import { DelayDetector } from "./delay.js";
import { emit, emitOnDocument } from "./page_events.js";
import { sleep } from "./time.js";

// A countdown with less than this remaining, which the server no longer mentions, has come to its end.
const ENDED_WITHIN_MS = 2_000;
// The server counts as stopped when it has not answered for this long after the end of the countdown.
const STOPPED_AFTER_MS = 4_000;
const RETRY_AFTER_MS = 1_000;
// How long after its announced end a pod may still be the reason why the session moves.
const MOVE_TOLERANCE_MS = 10_000;

export class ServerEvents {
  #banner;
  #drain;
  #logout;
  #connection;
  #moveNow;
  #delay;
  #sessionId = null;
  // The pod that holds the session.
  #pod = null;
  // The same according to the last stream, and until when its pod moves sessions to others.
  #streamPod = null;
  #movesUntil = -Infinity;
  // The page says that the server does not respond.
  #stopped = false;

  constructor({ banner, drain, logout, connection, moveNow }) {
    this.#banner = banner;
    this.#drain = drain;
    this.#logout = logout;
    this.#connection = connection;
    this.#moveNow = moveNow;
    this.#delay = new DelayDetector(() => connection.ask());
  }

  handle(name, data) {
    if (this.#stopped) {
      this.#stopped = false;
      this.#banner.hideStopped();
    }
    this.#delay.record(data, name === "drain" || name === "heartbeat");
    switch (name) {
      case "connected":
        // Another id: a user signed in in another tab. The answer to the query tells who.
        if (this.#sessionId !== null && data.session_id !== this.#sessionId) this.#connection.ask();
        this.#sessionId = data.session_id;
        emit("connected", data);
        // The server responds again, so the reported problem is over. Where the user wants to move, that it responds is no answer.
        if (!this.#drain.moves) this.#banner.showProblem("");
        this.#applyState(data);
        this.#reportMove(data);
        break;
      case "session":
        this.#sessionId = data.session_id;
        emit("session", data);
        this.#applyState(data);
        break;
      case "move":
        this.#expectMove(data);
        break;
      case "move-failed":
        this.#moveNow.settle(false);
        break;
      case "drain":
        if (data.moves) this.#expectMove(data);
        this.#drain.show(data);
        break;
      case "drain-cancelled":
        this.#drain.cancel(data);
        break;
      case "heartbeat":
        // Where page and server disagree on whether a countdown runs, or on its end, the server is asked.
        if (this.#drain.agreesWith(data.remaining_ms)) this.#drain.correct(data.remaining_ms);
        else this.#connection.ask();
        break;
      case "session-ended":
        this.#logout.sessionEnded(data);
        break;
    }
  }

  #expectMove({ remaining_ms: remainingMs }) {
    this.#movesUntil = performance.now() + remainingMs + MOVE_TOLERANCE_MS;
  }

  // Tells the page that its stream is at another pod, as announced.
  #reportMove({ pod }) {
    const from = this.#streamPod;
    this.#streamPod = pod;
    if (from === null || from === pod || performance.now() > this.#movesUntil) return;
    this.#movesUntil = -Infinity;
    emitOnDocument("moved", { pod, from });
  }

  // Shows the end of the session.
  showEnd(data) {
    const automatic = data.reason === "logout" && (data.automatic ?? this.#drain.isEnding);
    // The server ends a session whose work it has waited for, as the banner has said.
    const announced = automatic || (data.reason === "forced" && this.#drain.isAnnouncedEnd);
    this.#drain.stop();
    this.#banner.showEnd(announced ? "drain" : data.reason);
    emit("session-ended", { ...data, automatic });
  }

  // Asks the server what happened at the end of the countdown, until it reports so or counts as stopped.
  async awaitEnd() {
    const startedAt = performance.now();
    const isOpen = () => this.#drain.running && this.#drain.remainingMs === 0 && !this.#connection.isOver;
    while (isOpen()) {
      const answered = (await this.#connection.ask()) === "server";
      if (!answered && performance.now() - startedAt >= STOPPED_AFTER_MS && isOpen()) return this.#stop();
      await sleep(answered ? ENDED_WITHIN_MS : RETRY_AFTER_MS);
    }
  }

  #stop() {
    this.#stopped = true;
    this.#drain.stop();
    this.#banner.showStopped();
    emit("stopped", {});
  }

  // Applies the notice of a complete state. An answer that is older than the last event carries no `drain`.
  #applyState(data) {
    const moved = this.#pod !== null && data.pod !== undefined && data.pod !== this.#pod;
    this.#pod = data.pod ?? this.#pod;
    if (moved) this.#moveNow.settle(true);
    if (data.drain) this.#drain.show(data.drain);
    else if (data.drain !== null) return;
    // Hides a notice that was rendered into the page, or saved with it.
    else if (!this.#drain.running) this.#banner.refresh();
    // On another pod, or at the end, nothing was cancelled: the countdown no longer matters.
    else if (moved || this.#drain.remainingMs <= ENDED_WITHIN_MS) this.#drain.stop();
    else this.#drain.cancel({ server_time: data.server_time });
  }
}
