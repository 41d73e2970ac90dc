// Messages between the tabs of one browser.

// Identifies this page to the other tabs. It is not a secret, and `crypto.randomUUID` is missing on plain HTTP.
export const PAGE_ID = Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2);

export const canBroadcast = typeof BroadcastChannel === "function";

// A `BroadcastChannel` that can be closed and opened again.
export class Channel {
  #port = null;
  #name;
  #onMessage;

  // `onMessage(message, age)` also gets the milliseconds that the message took. All tabs read the same clock, so it does not
  // matter whether that clock is right.
  constructor(name, onMessage) {
    this.#name = name;
    this.#onMessage = onMessage;
  }

  open() {
    if (this.#port || !canBroadcast) return;
    this.#port = new BroadcastChannel(this.#name);
    this.#port.onmessage = ({ data }) => this.#onMessage(data, Math.max(0, Date.now() - data.at));
  }

  // Closes the channel. A browser evicts a page from the back/forward cache when a message arrives for it.
  close() {
    this.#port?.close();
    this.#port = null;
  }

  send(message) {
    this.#port?.postMessage({ ...message, from: PAGE_ID, at: Date.now() });
  }
}

// Returns a copy of an event's data in which the remaining time is `ms` shorter.
export function aged(data, ms) {
  if (!data) return data;
  const copy = { ...data };
  if ("remaining_ms" in data) copy.remaining_ms = Math.max(0, data.remaining_ms - ms);
  if ("countdown" in data) copy.countdown = Math.ceil(copy.remaining_ms / 1000);
  if (data.drain) copy.drain = aged(data.drain, ms);
  return copy;
}
