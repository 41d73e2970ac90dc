// Consent of all tabs to what is about to happen to their session: a logout, or the move to another pod. Before it every tab may save,
// and may object. A tab that does not answer in time consents.

import { Channel, PAGE_ID } from "./channel.js";
import { sleep } from "./time.js";

const OBJECTION_TIMEOUT_MS = 300;

export class Consent {
  #channel;
  #ask;
  #shared;
  #counts;
  #objects;
  // The answer of this tab's page while this tab is asking.
  #own = null;
  #objected = false;
  // The tabs that are still saving.
  #saving = new Set();
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

  close() {
    this.#channel.close();
  }

  // Resolves to whether all tabs consent, once they have saved or `timeoutMs` have passed.
  async request(detail, timeoutMs) {
    this.#own = this.#askPage({ ...detail, elsewhere: false });
    if (!this.#own.consents) return false;
    this.#objected = false;
    this.#saving.clear();
    const timeout = sleep(timeoutMs);
    if (this.#shared) {
      this.#channel.send({ ...detail, type: "request" });
      await this.#until(() => this.#objected, sleep(Math.min(OBJECTION_TIMEOUT_MS, timeoutMs / 4)));
    }
    await Promise.race([this.#own.saved, timeout]);
    await this.#until(() => this.#objected || !this.#saving.size, timeout);
    return !this.#objected;
  }

  // Forgets the page's answer: nothing happens after all, or it has happened.
  reset() {
    this.#own = null;
  }

  // Asks this tab's page. The event's `waitUntil()` collects promises to wait for.
  #askPage(detail) {
    const saves = [];
    const waitUntil = (promise) => void saves.push(promise);
    const consents = this.#ask(detail, waitUntil);
    return { consents, saves: saves.length > 0, saved: Promise.allSettled(saves) };
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
    if (to !== PAGE_ID || !this.#own) return;
    if (type === "objection") this.#objected = true;
    else if (type === "saving") this.#saving.add(from);
    else if (type === "saved") this.#saving.delete(from);
    this.#onAnswer();
  }

  async #answer(detail, to) {
    // Where this tab is asking itself, its page has already been asked.
    const { consents, saves, saved } = this.#own ?? this.#askPage({ ...detail, elsewhere: true });
    if ((!consents || this.#objects()) && this.#counts(detail)) this.#channel.send({ type: "objection", to });
    if (!saves) return;
    this.#channel.send({ type: "saving", to });
    await saved;
    this.#channel.send({ type: "saved", to });
  }
}
