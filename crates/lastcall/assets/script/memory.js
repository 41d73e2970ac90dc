// What the line has heard last, as a tab that comes later is to hear it: with the time that is left by then.

class Memory {
  #connected = null;
  #notice = null;
  #at = 0;

  // The greeting of now, or null where there was none yet.
  get connected() {
    return this.#connected && { ...this.#connected, drain: later(this.#notice, performance.now() - this.#at) };
  }

  keep(name, data) {
    if (name === "connected") this.#connected = data;
    if (name === "drain") this.#note(data);
    else if (name === "drain-cancelled") this.#note(null);
    else if (name === "heartbeat" && this.#notice && "remaining_ms" in data) this.#note({ ...this.#notice, remaining_ms: data.remaining_ms });
    // An answer that is older than what was heard meanwhile comes without `drain`.
    else if (data.drain !== undefined) this.#note(data.drain);
  }

  #note(notice) {
    this.#notice = notice;
    this.#at = performance.now();
  }
}
