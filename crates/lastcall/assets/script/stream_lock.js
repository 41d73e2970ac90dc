// The lock that this tab needs for an event stream. The tabs of one browser share a session and one stream, whose holder is the
// leader. With `SESSION_SCOPE=tab` each tab is a session of its own, and four tabs may hold a stream.

const LEADER = ["leader"];
const STREAMS = ["stream.0", "stream.1", "stream.2", "stream.3"];

export class StreamLock {
  #locks;
  #names;
  #onLost;
  #release = null;
  #waiting = null;

  // `onLost()` is called when another tab takes the lock away.
  constructor(locks, perTab, onLost) {
    this.#locks = locks;
    this.#names = perTab ? STREAMS : LEADER;
    this.#onLost = onLost;
  }

  get held() {
    return this.#release !== null;
  }

  open() {
    this.#locks.open();
  }

  close() {
    this.#locks.close();
  }

  // Resolves to whether another tab holds every lock. A lock that arrives after `isStale()` turned true is released at once.
  async acquire(steal, isStale) {
    let release;
    for (const name of this.#names) {
      release = await this.#locks.acquire(name, () => this.#lose(), steal);
      if (release) break;
    }
    this.#keep(release, isStale);
    return release === null;
  }

  // Waits until the lock is free. It becomes free at once when the leader crashes, while timers of hidden tabs run once a minute.
  async waitFor(isStale) {
    this.#waiting = new AbortController();
    this.#keep(await this.#locks.waitFor(this.#names[0], () => this.#lose(), this.#waiting.signal), isStale);
  }

  stopWaiting() {
    this.#waiting?.abort();
    this.#waiting = null;
  }

  release() {
    const release = this.#release;
    this.#release = null;
    release?.();
  }

  #keep(release, isStale) {
    if (!release) return;
    if (isStale()) release();
    else this.#release = release;
  }

  #lose() {
    if (!this.held) return;
    this.release();
    this.#onLost();
  }
}
