// How tabs share one stream. The leader forwards its events, and answers queries with the current state. A follower queries the
// leader regularly, and takes over where two queries in a row stay unanswered: the leader has gone, or is suspended.

import { Channel, aged } from "./channel.js";
import { sleep } from "./time.js";

// Every follower hears each answer, so one query per interval is enough for all of them.
const QUERY_INTERVAL_MS = 2_000;
// A new tab does not know yet whether there is a leader.
const FIRST_QUERY_TIMEOUT_MS = 700;
// A random delay keeps followers from taking over all at once.
const TAKE_OVER_DELAY_MS = [50, 300];

function takeOverDelay() {
  const [min, max] = TAKE_OVER_DELAY_MS;
  return sleep(min + Math.random() * (max - min));
}

export class Follower {
  #connection;
  #channel = new Channel("lastcall", (message, age) => this.#receive(message, age));
  #enabled;
  // Counts calls of `follow()` and `stop()`, so that loops of earlier calls end.
  #round = 0;
  #answers = 0;
  #answeredAt = -Infinity;
  #known = null;

  follows = false;

  // `connection` has the callbacks that `Connection` passes. `enabled`: the tabs of this browser share a stream.
  constructor(connection, enabled) {
    this.#connection = connection;
    this.#enabled = enabled;
  }

  open() {
    if (this.#enabled) this.#channel.open();
  }

  close() {
    this.stop();
    this.#channel.close();
  }

  stop() {
    this.#round += 1;
    this.follows = false;
    this.#known = null;
  }

  send(message) {
    this.#channel.send(message);
  }

  async follow() {
    this.stop();
    const round = this.#round;
    this.follows = true;
    const unanswered = (answers) => round === this.#round && answers === this.#answers;
    for (let missed = 0; round === this.#round; ) {
      const [answers, fresh] = [this.#answers, performance.now() - this.#answeredAt < QUERY_INTERVAL_MS / 2];
      if (!fresh || !this.#known) this.send({ type: "query" });
      await sleep(this.#known ? QUERY_INTERVAL_MS : FIRST_QUERY_TIMEOUT_MS);
      if (!unanswered(answers) || (fresh && this.#known)) missed = 0;
      else if ((missed += 1) === 1) this.#connection.ask();
      else {
        await takeOverDelay();
        if (unanswered(answers)) return this.#connection.takeOver(true);
        missed = 0;
      }
    }
  }

  #receive(message, age) {
    const { type, name, data } = message;
    if (this.#connection.isLeader()) {
      if (type === "query") this.send({ type: "state", ...this.#connection.currentState() });
      else if (type === "visible") this.#connection.tabVisible();
      else if (type === "move") this.#connection.move();
      else if (name === "session-ended") this.#connection.receive(name, data);
      return;
    }
    if (type === "event") {
      this.#noteAnswer();
      if (name === "connected") this.#known = data;
      this.#connection.receive(name, aged(data, age));
    } else if (type === "state" && this.follows) {
      this.#noteAnswer();
      this.#applyState(message.state, aged(message.connected, age));
    } else if (type === "bye" && this.follows) {
      this.#replaceLeader();
    }
  }

  #noteAnswer() {
    this.#answers += 1;
    this.#answeredAt = performance.now();
  }

  #applyState(state, connected) {
    this.#connection.setState(state);
    const known = this.#known;
    this.#known = connected ?? {};
    if (!connected) {
      if (!known) this.#connection.ask();
    } else if (known?.session_id !== connected.session_id || known.pod !== connected.pod) {
      this.#connection.receive("connected", connected);
    } else if (state === "live") {
      const { drain } = connected;
      this.#connection.receive("heartbeat", drain ? { remaining_ms: drain.remaining_ms } : {});
    }
  }

  async #replaceLeader() {
    const round = this.#round;
    await takeOverDelay();
    if (round === this.#round) this.#connection.takeOver(false);
  }
}
