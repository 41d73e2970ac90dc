// Consent of all tabs to what is about to happen to their session: a logout, or the move to another pod. Before it every tab may save,
// and may object. A tab that does not answer in time consents, and so does one that closes while it saves.

import { Channel, PAGE_ID } from "./channel.js";
import { sleep } from "./time.js";

const OBJECTION_TIMEOUT_MS = 300;
// How often the tabs that are saving are queried. One that leaves two queries in a row unanswered has gone, or is suspended. Tabs answer
// when the message arrives, since the timers of hidden tabs are throttled.
const SAVING_QUERY_MS = 1_000;
const MAX_UNANSWERED = 2;

export class Consent {
  #channel;
  #ask;
  #shared;
  #counts;
  #objects;
  // The answer of this tab's page while this tab is asking.
  #own = null;
  #objected = false;
  // The tabs that are still saving, each with the number of queries that it has left unanswered.
  #saving = new Map();
  // The timer of the queries.
  #queries = null;
  // The tabs that wait until this one has saved.
  #waiting = new Set();
  // Called after each answer.
  #onAnswer = () => {};

  // `channel`: the name of the channel between the tabs. `ask(event)` dispatches an event whose `detail` is given here, and returns
  // whether the page let it pass. `shared`: the tabs of this browser share a session, and can communicate. `counts(detail)`: whether
  // objections of other tabs count. `objects()`: whether this tab objects whatever its page says.
  constructor({ channel, ask, shared, counts = () => true, objects = () => false }) {
    this.#channel = new Channel(channel, (message) => this.#receive(message));
    this.#ask = ask;
    this.#shared = shared;
    this.#counts = counts;
    this.#objects = objects;
  }

  open() {
    if (this.#shared) this.#channel.open();
  }

  // Nobody waits for a page that closes or is suspended.
  close() {
    for (const to of this.#waiting) this.#channel.send({ type: "saved", to });
    this.#waiting.clear();
    this.#channel.close();
  }

  // Resolves to whether all tabs consent, once they have saved or `timeoutMs` have passed.
  async request(detail, timeoutMs) {
    this.#own = this.#askPage({ ...detail, elsewhere: false });
    if (!this.#own.consents) return false;
    this.#objected = false;
    this.#saving.clear();
    clearInterval(this.#queries);
    const timeout = sleep(timeoutMs);
    if (this.#shared) {
      this.#channel.send({ ...detail, type: "request" });
      await this.#until(() => this.#objected, sleep(Math.min(OBJECTION_TIMEOUT_MS, timeoutMs / 4)));
    }
    await Promise.race([this.#own.saved, timeout]);
    this.#queries = setInterval(() => this.#querySaving(), SAVING_QUERY_MS);
    await this.#until(() => this.#objected || !this.#saving.size, timeout);
    return !this.#objected;
  }

  // Forgets the page's answer: nothing happens after all, or it has happened.
  reset() {
    clearInterval(this.#queries);
    this.#own = null;
  }

  // Asks this tab's page. The event's `waitUntil()` collects promises to wait for.
  #askPage(detail) {
    const saves = [];
    const waitUntil = (promise) => void saves.push(promise);
    const consents = this.#ask(detail, waitUntil);
    return { consents, saves: saves.length > 0, saved: Promise.allSettled(saves) };
  }

  // Asks the tabs that are saving whether they still are, and forgets those that do not answer.
  #querySaving() {
    for (const [to, unanswered] of this.#saving) {
      if (unanswered === MAX_UNANSWERED) this.#saving.delete(to);
      else {
        this.#saving.set(to, unanswered + 1);
        this.#channel.send({ type: "query", to });
      }
    }
    this.#onAnswer();
  }

  #until(condition, timeout) {
    const met = new Promise((resolve) => {
      this.#onAnswer = () => condition() && resolve();
      this.#onAnswer();
    });
    return Promise.race([met, timeout]);
  }

  #receive({ type, from, to, at, ...detail }) {
    if (type === "request") this.#answer(detail, from);
    if (to !== PAGE_ID) return;
    if (type === "query") this.#channel.send({ type: this.#waiting.has(from) ? "saving" : "saved", to: from });
    if (!this.#own) return;
    if (type === "objection") this.#objected = true;
    else if (type === "saving") this.#saving.set(from, 0);
    else if (type === "saved") this.#saving.delete(from);
    this.#onAnswer();
  }

  async #answer(detail, to) {
    // Where this tab is asking itself, its page has already been asked.
    const { consents, saves, saved } = this.#own ?? this.#askPage({ ...detail, elsewhere: true });
    if ((!consents || this.#objects()) && this.#counts(detail)) this.#channel.send({ type: "objection", to });
    if (!saves) return;
    this.#waiting.add(to);
    this.#channel.send({ type: "saving", to });
    await saved;
    if (this.#waiting.delete(to)) this.#channel.send({ type: "saved", to });
  }
}
