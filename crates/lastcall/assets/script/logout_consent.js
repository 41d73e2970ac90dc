// Consent of all tabs to a logout, since it ends the session of each of them. Before the logout every tab may save, and may object
// to an automatic one. A tab that does not answer in time consents.

import { Channel, PAGE_ID } from "./channel.js";
import { sleep } from "./time.js";

const OBJECTION_TIMEOUT_MS = 300;

// Dispatches `lastcall:leaving` in this tab. Its `waitUntil()` collects promises to wait for.
function askPage(detail) {
  const saves = [];
  const event = new CustomEvent("lastcall:leaving", { detail, cancelable: true });
  event.waitUntil = (promise) => void saves.push(promise);
  const consents = dispatchEvent(event);
  return { consents, saves: saves.length > 0, saved: Promise.allSettled(saves) };
}

export class LogoutConsent {
  #channel = new Channel("lastcall.logout", (message) => this.#receive(message));
  #shared;
  #isProtected;
  // The answer of this tab's page while this tab is logging out.
  #own = null;
  #objected = false;
  // The tabs that are still saving.
  #saving = new Set();
  // Called after each answer.
  #onAnswer = () => {};

  // `shared`: the tabs of this browser share a session, and can communicate. `isProtected()`: the server has told this tab that it waits
  // for work of the session, which a tab that has not heard so yet must not end.
  constructor(shared, isProtected) {
    this.#shared = shared;
    this.#isProtected = isProtected;
  }

  open() {
    if (this.#shared) this.#channel.open();
  }

  close() {
    this.#channel.close();
  }

  // Resolves to whether all tabs consent, once they have saved or `timeoutMs` have passed.
  async request(automatic, timeoutMs) {
    this.#own = askPage({ automatic, elsewhere: false });
    if (!this.#own.consents) return false;
    this.#objected = false;
    this.#saving.clear();
    const timeout = sleep(timeoutMs);
    if (this.#shared) {
      this.#channel.send({ type: "request", automatic });
      await this.#until(() => this.#objected, sleep(Math.min(OBJECTION_TIMEOUT_MS, timeoutMs / 4)));
    }
    await Promise.race([this.#own.saved, timeout]);
    await this.#until(() => this.#objected || !this.#saving.size, timeout);
    return !this.#objected;
  }

  // Forgets the page's answer: this tab does not log out after all.
  reset() {
    this.#own = null;
  }

  #until(condition, timeout) {
    const met = new Promise((resolve) => {
      this.#onAnswer = () => condition() && resolve();
      this.#onAnswer();
    });
    return Promise.race([met, timeout]);
  }

  #receive({ type, automatic, from, to }) {
    if (type === "request") this.#answer(automatic, from);
    if (to !== PAGE_ID || !this.#own) return;
    if (type === "objection") this.#objected = true;
    else if (type === "saving") this.#saving.add(from);
    else if (type === "saved") this.#saving.delete(from);
    this.#onAnswer();
  }

  async #answer(automatic, to) {
    // Where this tab is logging out itself, its page has already been asked.
    const { consents, saves, saved } = this.#own ?? askPage({ automatic, elsewhere: true });
    // A user's own click is not objected to.
    if ((!consents || this.#isProtected()) && automatic) this.#channel.send({ type: "objection", to });
    if (!saves) return;
    this.#channel.send({ type: "saving", to });
    await saved;
    this.#channel.send({ type: "saved", to });
  }
}
