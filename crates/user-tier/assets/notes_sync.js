// Saves the notes on the server: one request at a time, always the newest text, and again and again until the server has it.

import { merge } from "./merge.js";

const DEBOUNCE_MS = 400;
// Another tab of this browser saves what is typed there. After this long this tab does, in case the other one was closed.
const TAKEOVER_MS = 5_000;
const REQUEST_TIMEOUT_MS = 12_000;
const RETRY_MS = { first: 500, max: 4_000, urgent: 300 };
// Browsers limit the bodies of requests that outlive their page, all together, to 64 KiB.
const KEEPALIVE_BYTES = 30_000;
// How many texts without an answer are remembered.
const SENT_MAX = 3;

// PostgreSQL stores no U+0000, and JSON no half of a character.
const sendable = (text) => (text.toWellFormed?.() ?? text).replaceAll("\0", "\ufffd");
const bytesOf = (text) => new TextEncoder().encode(text).length;
const isLater = ({ version }, than) => {
  const [lineage, number] = version.split("-");
  const [known, before] = than.version.split("-");
  return lineage === known && Number(number) >= Number(before);
};

export class NotesSync {
  #parts;
  #local;
  // What the server is known to have. Null until it has answered once in this browser.
  #known;
  #mustLoad = true;
  #running = false;
  // When the next attempt is due, and whether another tab caused it.
  #timer = null;
  #due = 0;
  #takesOver = false;
  #failures = 0;
  #problem = null;
  #urgent = false;
  #stopped = false;
  #waiting = [];

  // `parts`: `url`, `user`, `maxBytes`, `local`, `text()`: the text on screen or null where it must not be saved, `show(text)`,
  // `onState(state, excess)`. The states: "loading", "not-loaded", "saving", "saved", "failing", "too-long", "signed-out".
  constructor(parts) {
    this.#parts = parts;
    this.#local = parts.local;
    this.#known = parts.local.server;
    for (const name of ["online", "lastcall:state"]) addEventListener(name, () => this.#failures && this.now());
  }

  // Whether the server has the text on screen.
  get isSaved() {
    const text = this.#parts.text();
    return text === null || sendable(text) === (this.#known?.text ?? "");
  }

  // The user has typed.
  changed() {
    if (this.#excess() <= 0) this.#problem = null;
    this.#report();
    // After a failure the next attempt is due already. Typing neither hurries nor delays it.
    if (!this.#failures || this.#timer === null) this.#schedule(DEBOUNCE_MS);
  }

  // Another tab of this browser has changed the text.
  changedElsewhere() {
    this.#report();
    if (this.#takesOver) this.#cancel();
    this.#schedule(TAKEOVER_MS);
    this.#takesOver = true;
  }

  // Another tab of this browser has heard from the server.
  learn(known) {
    if (!known || (this.#known && !isLater(known, this.#known))) return;
    this.#known = known;
    this.#report();
  }

  // Asks the server for its text: another browser may have changed it.
  refresh() {
    this.#mustLoad = true;
    this.now();
  }

  now() {
    this.#cancel();
    this.#run();
  }

  // Saves at once and tries again quickly. Resolves when the server has the text, when it cannot get it any more, or when `timeoutMs`
  // have passed.
  async settle(timeoutMs) {
    this.#urgent = true;
    let timedOut = false;
    const timer = timeoutMs === undefined ? null : setTimeout(() => {
      timedOut = true;
      this.#report();
    }, timeoutMs);
    this.now();
    const mayHelp = () => !this.isSaved && !this.#stopped && !timedOut && this.#problem !== "too-long";
    while (mayHelp()) await new Promise((done) => this.#waiting.push(done));
    clearTimeout(timer);
    this.#urgent = false;
  }

  // The page is being closed: sends the text once more, by a request that outlives it.
  leave() {
    if (this.isSaved || this.#stopped || !this.#known) return;
    const text = sendable(this.#parts.text());
    if (bytesOf(text) > KEEPALIVE_BYTES) return;
    this.#remember(text);
    this.#put(text).catch(() => {});
  }

  // The session has ended: nothing more can be saved.
  stop() {
    this.#stopped = true;
    this.#cancel();
    this.#report();
  }

  // Plans an attempt, unless an earlier one is planned.
  #schedule(delayMs) {
    const due = performance.now() + delayMs;
    if (this.#stopped || (this.#timer !== null && this.#due <= due)) return;
    this.#cancel();
    this.#due = due;
    this.#timer = setTimeout(() => this.now(), delayMs);
  }

  #cancel() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#takesOver = false;
  }

  async #run() {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    try {
      while (!this.#stopped && (this.#mustLoad || !this.isSaved)) {
        if (!this.#mustLoad && this.#excess() > 0) {
          this.#problem = "too-long";
          break;
        }
        this.#problem = null;
        this.#report();
        if (this.#mustLoad) await this.#load();
        else await this.#save();
        this.#failures = 0;
      }
    } catch (failure) {
      this.#failures += 1;
      this.#schedule(this.#pause(failure.retryAfterMs));
    }
    this.#running = false;
    this.#report();
  }

  async #load() {
    const answer = await this.#ask({});
    if (answer.status !== 200) throw await failureOf(answer);
    const found = await answer.json();
    if (found.user !== this.#parts.user) throw this.#anotherUser();
    this.#mustLoad = false;
    this.#reconcile(found);
  }

  async #save() {
    const text = sendable(this.#parts.text());
    this.#remember(text);
    const answer = await this.#put(text);
    if (answer.status === 200) return this.#know((await answer.json()).version, text);
    const found = answer.status === 409 ? await answer.json() : {};
    if (typeof found.version === "string") return this.#reconcile(found);
    // Signed out, or another user: the library finds out which.
    if ([401, 409].includes(answer.status)) throw this.#anotherUser();
    if (answer.status === 413) this.#parts.maxBytes = Math.min(this.#parts.maxBytes, bytesOf(text) - 1);
    else throw await failureOf(answer);
  }

  #anotherUser() {
    globalThis.lastcall?.ask();
    return new Error("no session of this user");
  }

  // Combines the text on screen with the server's.
  #reconcile({ text, version }) {
    const ours = this.#parts.text();
    if (ours === null) return this.#know(version, text);
    const known = [this.#local.server, this.#known].find((known) => known && isLater({ version }, known)) ?? null;
    // A save whose answer was lost, or one of another tab of this browser.
    const own = known?.sent.includes(text);
    const merged = own ? ours : merge(known && known.text, sendable(ours), text);
    this.#know(version, text);
    if (merged !== sendable(ours)) this.#parts.show(merged, merged !== text);
  }

  #know(version, text) {
    this.#known = { version, text, sent: [] };
    this.#local.setServer(this.#known);
  }

  // Remembers a text before it is sent: its answer may be lost.
  #remember(text) {
    const sent = [...(this.#local.server?.sent ?? []), text].slice(-SENT_MAX);
    this.#known = { ...this.#known, sent };
    this.#local.setServer(this.#known);
  }

  #put(text) {
    const body = JSON.stringify({ user: this.#parts.user, text, version: this.#known.version });
    const headers = { "content-type": "application/json" };
    return this.#ask({ method: "PUT", headers, body, keepalive: bytesOf(body) <= KEEPALIVE_BYTES });
  }

  #ask(request) {
    const headers = { accept: "application/json", ...request.headers };
    return fetch(this.#parts.url, { ...request, headers, cache: "no-store", signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  }

  #excess() {
    const text = this.#parts.text() ?? "";
    const { maxBytes } = this.#parts;
    return text.length * 3 <= maxBytes ? 0 : bytesOf(sendable(text)) - maxBytes;
  }

  #pause(retryAfterMs = 0) {
    if (this.#urgent) return RETRY_MS.urgent;
    const pause = Math.min(RETRY_MS.max, RETRY_MS.first * 2 ** Math.max(0, this.#failures - 1));
    return Math.max(retryAfterMs, pause) * (0.75 + Math.random() / 2);
  }

  #report() {
    for (const done of this.#waiting.splice(0)) done();
    this.#parts.onState(this.#state(), this.#excess());
  }

  #state() {
    if (!this.isSaved) {
      if (this.#stopped) return "signed-out";
      return this.#problem ?? (this.#failures ? "failing" : "saving");
    }
    if (this.#known) return "saved";
    return this.#failures && !this.#stopped ? "not-loaded" : "loading";
  }
}

async function failureOf(answer) {
  const failure = new Error(`status ${answer.status}`);
  failure.retryAfterMs = Math.min(5, Number(answer.headers.get("retry-after")) || 0) * 1_000;
  return failure;
}
