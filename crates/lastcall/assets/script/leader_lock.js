// Locks that decide which tabs may hold an event stream, since a browser allows six HTTP/1.1 connections to a host. Tabs use Web
// Locks. On plain HTTP, where Web Locks are missing, they use leases in the local storage. Without either, each visible tab holds
// a stream.
//
// All three kinds have the same methods. `acquire(name, onLost, steal)` resolves to a function that releases the lock, to `null`
// where another tab holds it, and to `undefined` where locking fails. `onLost()` is called when another tab steals the lock.

import { Channel, PAGE_ID, canBroadcast } from "./channel.js";
import { sleep } from "./time.js";

// A lease holder that is alive answers within milliseconds; the rest is for busy pages.
const HOLDER_TIMEOUT_MS = 1_000;
const STORAGE_PREFIX = "lastcall.lease:";

// Returns the best kind of lock that this browser has.
export function createLocks() {
  if (canBroadcast && navigator.locks) return new WebLocks();
  if (canBroadcast && canStore()) return new StorageLeases();
  return new VisibilityLocks();
}

class WebLocks {
  // Whether at most one tab holds a lock at a time.
  exclusive = true;

  open() {}

  close() {}

  acquire(name, onLost, steal = false) {
    return this.#request(name, onLost, steal ? { steal: true } : { ifAvailable: true });
  }

  // Waits until the lock is free, or `signal` aborts.
  waitFor(name, onLost, signal) {
    return this.#request(name, onLost, { signal });
  }

  #request(name, onLost, options) {
    return new Promise((resolve) => {
      let held = false;
      const hold = (lock) => {
        held = lock !== null;
        return held ? new Promise((release) => resolve(release)) : resolve(null);
      };
      // The request rejects when the lock is stolen.
      navigator.locks.request(`lastcall.${name}`, options, hold).catch(() => (held ? onLost() : resolve(undefined)));
    });
  }
}

class StorageLeases {
  exclusive = true;
  #held = new Map();
  #queries = new Map();
  #channel = new Channel("lastcall.leases", (message) => this.#receive(message));

  constructor() {
    addEventListener("storage", (event) => {
      const name = event.key?.startsWith(STORAGE_PREFIX) ? event.key.slice(STORAGE_PREFIX.length) : null;
      if (this.#held.has(name)) this.#check(name);
    });
  }

  open() {
    this.#channel.open();
  }

  close() {
    this.#channel.close();
  }

  async acquire(name, onLost, steal = false) {
    const key = STORAGE_PREFIX + name;
    if (!steal && localStorage.getItem(key) && (await this.#holderAnswers(name))) return null;
    try {
      localStorage.setItem(key, PAGE_ID);
    } catch {
      // The storage is full.
      return undefined;
    }
    // The last tab to write holds the lease, and the other tabs notice within the delay below. This tab answers queries during the
    // delay, since a tab that is still asking would otherwise take the lease away.
    this.#held.set(name, () => {});
    await sleep(50 + Math.random() * 100);
    if (!this.#check(name)) return null;
    this.#held.set(name, onLost);
    return () => {
      this.#held.delete(name);
      if (localStorage.getItem(key) === PAGE_ID) localStorage.removeItem(key);
    };
  }

  // Leases have no queue: followers ask the leader instead.
  async waitFor() {
    return null;
  }

  // Returns whether this tab still holds the lease, and reports the loss where it does not.
  #check(name) {
    if (localStorage.getItem(STORAGE_PREFIX + name) === PAGE_ID) return true;
    const onLost = this.#held.get(name);
    this.#held.delete(name);
    onLost?.();
    return false;
  }

  #holderAnswers(name) {
    return new Promise((resolve) => {
      this.#queries.set(name, () => resolve(true));
      this.#channel.send({ type: "query", name });
      setTimeout(() => resolve(false), HOLDER_TIMEOUT_MS);
    });
  }

  #receive({ type, name }) {
    if (type === "held") this.#queries.get(name)?.();
    else if (this.#held.has(name) && this.#check(name)) this.#channel.send({ type: "held", name });
  }
}

// For tabs that cannot communicate: each tab holds its own lock while it is visible.
class VisibilityLocks {
  exclusive = false;

  open() {}

  close() {}

  async acquire(_name, onLost) {
    if (document.hidden) return null;
    const onChange = () => document.hidden && onLost();
    document.addEventListener("visibilitychange", onChange);
    return () => document.removeEventListener("visibilitychange", onChange);
  }
}

function canStore() {
  try {
    localStorage.setItem(`${STORAGE_PREFIX}?`, PAGE_ID);
    localStorage.removeItem(`${STORAGE_PREFIX}?`);
    return true;
  } catch {
    return false;
  }
}
