// One event stream, from its opening until it is closed or breaks. The connection decides what happens then.

const OPEN_TIMEOUT_MS = 5_000;
// In heartbeat intervals. The stream counts as broken before the second missing heartbeat.
const SILENCE_LIMIT = 1.8;
const EVENTS = ["connected", "drain", "drain-cancelled", "move", "session-ended", "stream-ended", "heartbeat"];

export class EventStream {
  #source;
  #watchdog = null;
  #heartbeatMs = 15_000;

  // Calls `onEvent(name, data)` for each event, `onBlocked()` where nothing arrives at all, `onSilent()` where nothing arrives any more,
  // and `onEnded()` where the stream ends or breaks.
  constructor(url, { onEvent, onBlocked, onSilent, onEnded }) {
    this.#source = new EventSource(url);
    const end = (report) => () => {
      this.close();
      report();
    };
    this.#watch(OPEN_TIMEOUT_MS, end(onBlocked));
    for (const name of EVENTS) {
      this.#source.addEventListener(name, (event) => {
        const data = JSON.parse(event.data);
        if (name === "connected") this.#heartbeatMs = data.heartbeat_ms;
        // A dead stream can look open: only its silence shows.
        this.#watch(this.#heartbeatMs * SILENCE_LIMIT, end(onSilent));
        onEvent(name, data);
      });
    }
    // The browser's own reconnecting is switched off: it has no jitter, and gives up on any status other than 200.
    this.#source.onerror = end(onEnded);
  }

  close() {
    clearTimeout(this.#watchdog);
    this.#source.close();
  }

  #watch(ms, onSilence) {
    clearTimeout(this.#watchdog);
    if (this.#source.readyState !== EventSource.CLOSED) this.#watchdog = setTimeout(onSilence, ms);
  }
}
