// Before the sign-out, which ends the session for all tabs: each of them is asked, may save first, and may keep the session
// where nobody has pressed a button. Who does not answer soon has nothing against it.

const OBJECT_WITHIN_MS = 300;
const SAVE_WITHIN_MS = 5_000;

// Tells the page of this tab.
function askPage(detail) {
  const saves = [];
  const event = new CustomEvent("lastcall:leaving", { detail, cancelable: true });
  event.waitUntil = (promise) => void saves.push(promise);
  const agrees = dispatchEvent(event);
  return { agrees, waits: saves.length > 0, saved: Promise.allSettled(saves) };
}

class Farewell {
  #channel = new Channel(`${CHANNEL}.leaving`, (message) => this.#hear(message));
  // What this tab's own page has said, while this tab leaves.
  #own = null;
  #objected = false;
  // The tabs that save, and what is to be called when all have done so, or one objects.
  #saving = new Set();
  #answered = () => {};

  open() {
    if (shared) this.#channel.open();
  }

  close() {
    this.#channel.close();
  }

  // Gives whether all agree, once they have saved, or `ms` are over.
  async agreed(automatic, ms) {
    this.#own = askPage({ automatic, elsewhere: false });
    if (!this.#own.agrees) return false;
    this.#objected = false;
    this.#saving.clear();
    const over = sleep(ms);
    if (shared) {
      this.#channel.send({ type: "leaving", automatic });
      await this.#until(() => this.#objected, sleep(Math.min(OBJECT_WITHIN_MS, ms / 4)));
    }
    await Promise.race([this.#own.saved, over]);
    await this.#until(() => this.#objected || !this.#saving.size, over);
    return !this.#objected;
  }

  // This tab does not leave after all.
  forget() {
    this.#own = null;
  }

  #until(enough, over) {
    const heard = new Promise((resolve) => {
      this.#answered = () => enough() && resolve();
      this.#answered();
    });
    return Promise.race([heard, over]);
  }

  #hear({ type, automatic, from, to }) {
    if (type === "leaving") this.#answer(automatic, from);
    if (to !== page || !this.#own) return;
    if (type === "objects") this.#objected = true;
    else if (type === "saves") this.#saving.add(from);
    else if (type === "saved") this.#saving.delete(from);
    this.#answered();
  }

  async #answer(automatic, to) {
    // A page that has been told already is not told again.
    const { agrees, waits, saved } = this.#own ?? askPage({ automatic, elsewhere: true });
    // Where somebody pressed the button, that is what they want.
    if (!agrees && automatic) this.#channel.send({ type: "objects", to });
    if (!waits) return;
    this.#channel.send({ type: "saves", to });
    await saved;
    this.#channel.send({ type: "saved", to });
  }
}

const farewell = new Farewell();
