// One event stream, until it is closed or breaks. What happens then is the connection's affair.

const OPEN_WITHIN_MS = 5_000;
// In heartbeats. Silence is noticed before the second one that is missing.
const SILENT_AFTER = 1.8;
const EVENTS = ["connected", "drain", "drain-cancelled", "session-ended", "stream-ended", "heartbeat"];

class Stream {
  #source = new EventSource(`${routes}events`);
  #watchdog = null;
  #heartbeatMs = 15_000;

  // `heard(name, data)` gets every event; `swallowed()` is told where nothing comes at all, `broken()` where it ends.
  constructor(heard, swallowed, broken) {
    const over = (tell) => () => {
      this.close();
      tell();
    };
    this.#watch(OPEN_WITHIN_MS, over(swallowed));
    for (const name of EVENTS) {
      this.#source.addEventListener(name, (event) => {
        const data = JSON.parse(event.data);
        if (name === "connected") this.#heartbeatMs = data.heartbeat_ms;
        // A stream can look open and be dead: silence is what tells.
        this.#watch(this.#heartbeatMs * SILENT_AFTER, over(broken));
        heard(name, data);
      });
    }
    // The browser's own way back is closed at once: it knows neither jitter nor a status other than 200.
    this.#source.onerror = over(broken);
  }

  close() {
    clearTimeout(this.#watchdog);
    this.#source.close();
  }

  #watch(ms, silent) {
    clearTimeout(this.#watchdog);
    if (this.#source.readyState !== EventSource.CLOSED) this.#watchdog = setTimeout(silent, ms);
  }
}
