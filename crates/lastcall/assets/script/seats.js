// Who may hold an event stream. A browser allows six connections to a host, so tabs take seats: by Web Locks, and where
// there are none (plain HTTP from another machine) by leases in the local storage, whose holders answer when asked
// whether they are still there. Where neither can be had, the tabs that are looked at have a stream and the others ask.

// A living page answers within milliseconds; a busy one gets some grace.
const HOLDER_ANSWERS_WITHIN_MS = 1_000;
const LEASE = "lastcall.lease:";

// A seat is a function that leaves it, `null` where somebody else has it, and `undefined` where it cannot be had at all.
// `lost()` is called when another page has taken it.
class LockSeats {
  open() {}

  close() {}

  take(name, lost, steal = false) {
    return this.#request(name, lost, steal ? { steal: true } : { ifAvailable: true });
  }

  // Waits until nobody has it any more, however that came about; `signal` ends the waiting.
  wait(name, lost, signal) {
    return this.#request(name, lost, { signal });
  }

  #request(name, lost, way) {
    return new Promise((taken) => {
      let held = false;
      const hold = (lock) => {
        held = lock !== null;
        return held ? new Promise((leave) => taken(leave)) : taken(null);
      };
      // Rejected where it was stolen, by somebody who took this page for dead.
      navigator.locks.request(`lastcall.${name}`, way, hold).catch(() => (held ? lost() : taken(undefined)));
    });
  }
}

class LeaseSeats {
  #held = new Map();
  #asked = new Map();
  #channel = new Channel(`${CHANNEL}.seats`, (message) => this.#hear(message));

  constructor() {
    addEventListener("storage", (event) => {
      const name = event.key?.startsWith(LEASE) ? event.key.slice(LEASE.length) : null;
      if (this.#held.has(name)) this.#check(name);
    });
  }

  open() {
    this.#channel.open();
  }

  close() {
    this.#channel.close();
  }

  async take(name, lost, steal = false) {
    const key = LEASE + name;
    if (!steal && localStorage.getItem(key) && (await this.#answers(name))) return null;
    try {
      localStorage.setItem(key, page);
    } catch {
      // The storage is full.
      return undefined;
    }
    // Whoever writes last has it: the others find that out after a moment. It answers from the first moment on, or who is
    // still asking would take it away again.
    this.#held.set(name, () => {});
    await sleep(50 + Math.random() * 100);
    if (!this.#check(name)) return null;
    this.#held.set(name, lost);
    return () => {
      this.#held.delete(name);
      if (localStorage.getItem(key) === page) localStorage.removeItem(key);
    };
  }

  // Leases have no queue. Who follows asks.
  async wait() {
    return null;
  }

  #check(name) {
    if (localStorage.getItem(LEASE + name) === page) return true;
    const lost = this.#held.get(name);
    this.#held.delete(name);
    lost?.();
    return false;
  }

  #answers(name) {
    return new Promise((answered) => {
      this.#asked.set(name, () => answered(true));
      this.#channel.send({ type: "whose", name });
      setTimeout(() => answered(false), HOLDER_ANSWERS_WITHIN_MS);
    });
  }

  #hear({ type, name }) {
    if (type === "mine") this.#asked.get(name)?.();
    else if (this.#held.has(name) && this.#check(name)) this.#channel.send({ type: "mine", name });
  }
}

// Tabs that cannot speak with each other: who is looked at has a seat.
class LonelySeats {
  open() {}

  close() {}

  async take(_name, lost) {
    if (document.hidden) return null;
    const hide = () => document.hidden && lost();
    document.addEventListener("visibilitychange", hide);
    return () => document.removeEventListener("visibilitychange", hide);
  }
}

function canStore() {
  try {
    localStorage.setItem(`${LEASE}?`, page);
    localStorage.removeItem(`${LEASE}?`);
    return true;
  } catch {
    return false;
  }
}

const alone = !canSpeak || !(navigator.locks || canStore());
const seats = alone ? new LonelySeats() : navigator.locks ? new LockSeats() : new LeaseSeats();
