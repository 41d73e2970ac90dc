// What this page knows about its session, from events and from the answers to queries.

import { LastState } from "./last_state.js";
import { FROM_CACHE, isOlder, querySession } from "./session_query.js";

export class SessionState {
  #routes;
  #onEvent;
  #connection;
  // There has been a session. A public page that never had one does not report its end.
  #known;
  #lastState = new LastState();
  // The server time of the newest event.
  #serverTime = null;
  // Counts events, so that the answer to an earlier query is recognised as older.
  #eventCount = 0;

  // The session has ended. The first reason is final.
  isOver = false;
  // The server knows of no session, and there has been none.
  isMissing = false;

  // `connection` has `forward(name, data)`, which sends an event to the followers, `stop(state)`, and `open()`.
  constructor({ routes, known, onEvent }, connection) {
    this.#routes = routes;
    this.#known = known;
    this.#onEvent = onEvent;
    this.#connection = connection;
  }

  // The last `connected` event with the notice as it is now, or null before the first one.
  get connected() {
    return this.#lastState.connected;
  }

  // Handles an event of this tab's own stream.
  receive(name, data) {
    if (name === "session-ended") return this.#end(data);
    this.#eventCount += 1;
    this.#publish(name, data);
  }

  // Handles an event that the leader forwarded, or that a tab sent which signs out.
  receiveForwarded(name, data) {
    if (this.isOver) return;
    this.#eventCount += 1;
    if (name === "session-ended") this.#end(data);
    else this.#apply(name, data);
  }

  // Queries the session. Resolves to the kind of answer: `server`, `cache` or `none`. Ignores an answer that arrives after
  // `isStale()` turned true.
  async ask(isStale) {
    if (this.isOver) return "server";
    const [eventCount, newest] = [this.#eventCount, this.#serverTime];
    const session = await querySession(this.#routes, (answer) => isOlder(answer, newest));
    if (session === undefined) return "none";
    if (session === FROM_CACHE) return "cache";
    if (isStale() || this.isOver) return "server";
    // The query has verified the answer. Where its time is earlier, the clock was set back, or is another pod's.
    this.#serverTime = session?.server_time ?? newest;
    if (session === null) this.#handleMissingSession();
    else {
      // An event arrived in the meantime: its notice is newer than the answer's.
      if (eventCount !== this.#eventCount) delete session.drain;
      this.#publish("session", session);
      if (this.isMissing) {
        // A user signed in without reloading this page.
        this.isMissing = false;
        this.#connection.open();
      }
    }
    return "server";
  }

  #publish(name, data) {
    this.#connection.forward(name, data);
    this.#apply(name, data);
  }

  #apply(name, data) {
    if (name === "connected" || name === "session") this.#known = true;
    this.#lastState.record(name, data);
    if (!isOlder(data, this.#serverTime)) this.#serverTime = data.server_time ?? this.#serverTime;
    this.#onEvent(name, data);
  }

  #handleMissingSession() {
    if (this.#known) return this.#end({ reason: "gone" });
    this.isMissing = true;
    this.#connection.stop("none");
  }

  #end(data) {
    this.isOver = true;
    this.#connection.forward("session-ended", data);
    this.#connection.stop("over");
    this.#onEvent("session-ended", data);
  }
}
