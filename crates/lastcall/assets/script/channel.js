// What the tabs of one browser tell each other. Times that are left are corrected for how long a message was on its way:
// the tabs share one clock, however wrong it is.

const CHANNEL = "lastcall";
const canSpeak = typeof BroadcastChannel === "function";

// This page among the others. Not a secret, and `crypto.randomUUID` is not there on plain HTTP.
const page = Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2);

class Channel {
  #port = null;
  #name;
  #heard;

  constructor(name, heard) {
    this.#name = name;
    this.#heard = heard;
  }

  open() {
    if (this.#port || !canSpeak) return;
    this.#port = new BroadcastChannel(this.#name);
    this.#port.onmessage = ({ data }) => this.#heard(data, Math.max(0, Date.now() - data.at));
  }

  // A page in the back/forward cache must not listen: the browser would throw it out at the first message.
  close() {
    this.#port?.close();
    this.#port = null;
  }

  send(message) {
    this.#port?.postMessage({ ...message, from: page, at: Date.now() });
  }
}

// The same data, `ms` later.
function later(data, ms) {
  if (!data) return data;
  const corrected = { ...data };
  if ("remaining_ms" in data) corrected.remaining_ms = Math.max(0, data.remaining_ms - ms);
  if ("countdown" in data) corrected.countdown = Math.ceil(corrected.remaining_ms / 1000);
  if (data.drain) corrected.drain = later(data.drain, ms);
  return corrected;
}
