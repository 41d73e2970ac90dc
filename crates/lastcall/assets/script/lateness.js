// Whether what was heard lay somewhere on its way: a computer that wakes up reads what was said while it slept. Clocks may be
// wrong, but how far browser and server are apart changes little, and the least distance is that of a message that did not
// wait. A clock that was put right costs a question, no more.

const LATE_MS = 1_500;
// What was held back comes all at once: the question is asked after the last of it.
const SETTLES_WITHIN_MS = 100;

class Lateness {
  #least = Infinity;
  #timer = null;
  #doubt;

  // `doubt()` asks the server for the truth.
  constructor(doubt) {
    this.#doubt = doubt;
  }

  note({ server_time: serverTime }, counts) {
    if (!serverTime) return;
    const behind = Date.now() - Date.parse(serverTime);
    this.#least = Math.min(this.#least, behind);
    if (!counts || behind - this.#least < LATE_MS) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#least = behind;
      this.#doubt();
    }, SETTLES_WITHIN_MS);
  }
}
