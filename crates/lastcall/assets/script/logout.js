// Logs out without leaving the page.

import { postTo } from "./app_logout.js";
import { emit } from "./page_events.js";
import { sleep } from "./time.js";

// How long pages may save after a click.
const SAVE_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
// At the end of a countdown a failed request must leave time for another one.
const AUTOMATIC_TIMEOUT_MS = { min: 500, max: 2_000 };
const RETRY_AFTER_MS = 300;

export class Logout {
  #parts;
  #running = false;
  // The `session-ended` event, where it has arrived.
  #ended = null;
  // The path of the app's own logout, where the server names one.
  #appLogout = null;

  // `parts`: `routes`, `words`, `banner`, `announce`, `drain`, `consent`, `connection`, and `onEnd(data)`, which shows the end of the
  // session.
  constructor(parts) {
    this.#parts = parts;
  }

  // Handles the end of the session. During a logout it is shown afterwards.
  sessionEnded(data) {
    this.#ended = data;
    if (!this.#running) this.#parts.onEnd(data);
  }

  // Logs out. Resolves to whether the server confirmed the logout.
  async run({ automatic = false } = {}) {
    if (this.#running) return false;
    const { words, banner, announce, drain, consent, connection } = this.#parts;
    this.#running = true;
    banner.setBusy(true);
    announce(words.leaving);
    const timed = automatic && drain.running;
    // Without a live stream the page may not know that the session has become protected.
    if (timed && !connection.isLive) await Promise.race([connection.ask(), sleep(drain.logoutTimeMs / 4)]);
    if (timed && !drain.mayLogOut) return this.#abort();
    const consented = await consent.request({ automatic }, timed ? drain.logoutTimeMs / 2 : SAVE_TIMEOUT_MS);
    // While a page was saving the notice may have been cancelled, or the session have become protected.
    if (!consented || (timed && !drain.mayLogOut)) return this.#abort();
    banner.showProblem("");
    if (!(await this.#request(automatic))) {
      this.#abort();
      // After an automatic logout the end of the session is reported by an event.
      if (!automatic) banner.showProblem(words.failed);
      emit("leave-failed", { automatic });
      return false;
    }
    // The server ended the session first.
    if (this.#ended && this.#ended.reason !== "logout") return this.#abort();
    connection.signedOut(automatic);
    banner.setBusy(false);
    drain.stop();
    // A page that navigates away prevents the message.
    if (emit("left", { automatic }, true)) {
      banner.showEnd(automatic ? "drain" : "left");
      // A page that signs out by itself stays, with what is on it.
      if (!automatic && this.#appLogout) postTo(this.#appLogout);
    }
    return true;
  }

  #abort() {
    const { banner, consent, onEnd } = this.#parts;
    this.#running = false;
    banner.setBusy(false);
    consent.reset();
    if (this.#ended) onEnd(this.#ended);
    return false;
  }

  // Posts the logout: once after a click, and repeatedly at the end of a countdown while time remains. Resolves to whether the session
  // has ended.
  async #request(automatic) {
    const { routes, drain } = this.#parts;
    const url = `${routes}logout${automatic ? "?reason=drain" : ""}`;
    const mayRetry = () => automatic && drain.logoutTimeMs > 0;
    for (;;) {
      const { min, max } = AUTOMATIC_TIMEOUT_MS;
      const timeout = mayRetry() ? Math.min(max, Math.max(min, drain.logoutTimeMs / 2)) : REQUEST_TIMEOUT_MS;
      try {
        const answer = await fetch(url, { method: "POST", keepalive: true, signal: AbortSignal.timeout(timeout) });
        this.#appLogout = answer.headers.get("Lastcall-Logout-Redirect");
        if (answer.ok) return true;
      } catch {
        // The server did not answer in time.
      }
      if (this.#ended) return true;
      if (!mayRetry()) return false;
      await sleep(RETRY_AFTER_MS);
      if (!mayRetry()) return this.#ended !== null;
    }
  }
}
