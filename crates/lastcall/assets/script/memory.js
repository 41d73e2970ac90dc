// What the line has heard last, as a tab that comes later is to hear it: with the time that is left by then.

// A moment on both clocks. The monotonic one may stand still while the computer sleeps, and the other may be put back: the
// longer of the two distances is the true one.
const moment = () => ({ steady: performance.now(), wall: Date.now() });
const since = ({ steady, wall }) => Math.max(performance.now() - steady, Date.now() - wall);

class Memory {
  #connected = null;
  #notice = null;
  #at = moment();

  // The greeting of now, or null where there was none yet.
  get connected() {
    return this.#connected && { ...this.#connected, drain: later(this.#notice, since(this.#at)) };
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
    this.#at = moment();
  }
}
