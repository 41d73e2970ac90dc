// The last state that the server reported, for tabs that open later.

import { aged } from "./channel.js";
import { elapsedSince, timestamp } from "./time.js";

export class LastState {
  #connected = null;
  #notice = null;
  #noticeAt = timestamp();

  // The last `connected` event with the notice as it is now, or null before the first one.
  get connected() {
    return this.#connected && { ...this.#connected, drain: aged(this.#notice, elapsedSince(this.#noticeAt)) };
  }

  record(name, data) {
    if (name === "connected") this.#connected = data;
    if (name === "drain") this.#setNotice(data);
    else if (name === "drain-cancelled") this.#setNotice(null);
    else if (name === "heartbeat" && this.#notice && "remaining_ms" in data) this.#setNotice({ ...this.#notice, remaining_ms: data.remaining_ms });
    // An answer that is older than the last event carries no `drain`.
    else if (data.drain !== undefined) this.#setNotice(data.drain);
  }

  #setNotice(notice) {
    this.#notice = notice;
    this.#noticeAt = timestamp();
  }
}
