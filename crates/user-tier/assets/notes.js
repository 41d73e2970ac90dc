// The notes: kept in this browser as they are typed, under the user's name, so that nobody else sees them.

import { formatOf, words } from "./words.js";

const clock = formatOf({ timeStyle: "medium" });
const PREFIX = "lastcall.notes:";
const ERASED = "lastcall.erased";
const KEPT = "lastcall.kept";
const NAME = "lastcall.name";
// An anonymous user of a tab has that tab's path in the name: two such tabs are two people.
const keyOf = (user, base) => (user === "anonymous" ? `${PREFIX}anonymous@${base}` : `${PREFIX}${user}`);

export class Notes {
  #box;
  #hint;
  #key;
  #saves;
  // Another tab of this user has erased them. What is on screen stays, but is not kept again by itself.
  #erasedElsewhere = false;

  // `saves(whether)` is told whether the browser keeps what is written.
  constructor(box, hint, user, base, saves) {
    this.#saves = saves;
    this.#box = box;
    this.#hint = hint;
    this.#key = keyOf(user, base);
    this.#bringAlong(user, base);
    // What was typed before this script ran must not be lost.
    const typed = box.value;
    box.value = join(read(this.#key), typed);
    if (typed) this.save();
    box.addEventListener("input", () => this.save());
    addEventListener("pagehide", () => this.flush());
    addEventListener("storage", (event) => this.#follow(event));
  }

  save() {
    this.#erasedElsewhere = false;
    const kept = write(this.#key, this.#box.value);
    this.#hint.textContent = kept ? words.saved(clock.format(new Date())) : words.notSaved;
    this.#hint.classList.toggle("bad", !kept);
    this.#saves(kept);
  }

  // Writes what is on screen, unless that is what is kept.
  flush() {
    if (!this.#erasedElsewhere && this.#box.value !== read(this.#key)) this.save();
  }

  // Somebody gives their name: the notes of nobody go with them.
  hand(user, base) {
    this.flush();
    sessionWrite("lastcall.from", JSON.stringify({ from: this.#key, base }));
  }

  // Takes them out of the browser. Until this tab is closed, the next page can bring them back.
  erase() {
    const text = this.#box.value;
    if (text) sessionWrite(ERASED, JSON.stringify({ key: this.#key, text }));
    this.#box.value = "";
    write(this.#key, "");
  }

  // They stay in the browser: the next page says so, where there are any.
  keep() {
    if (this.#box.value) sessionWrite(KEPT, "true");
  }

  // The session was left by hand in another tab: what was erased there goes from this screen, too.
  follow() {
    if (this.#erasedElsewhere) this.#box.value = "";
  }

  #bringAlong(user, base) {
    if (user === "anonymous") return;
    const handed = sessionTake("lastcall.from");
    if (handed?.base !== base || handed.from !== keyOf("anonymous", base)) return;
    const brought = read(handed.from);
    if (brought && write(this.#key, join(read(this.#key), brought))) write(handed.from, "");
  }

  // Another tab of the same user has written.
  #follow(event) {
    if (event.key !== this.#key || event.newValue === this.#box.value) return;
    if (event.newValue === null) {
      this.#erasedElsewhere = true;
      this.#hint.textContent = words.erasedElsewhere;
      return;
    }
    const [start, end] = [this.#box.selectionStart, this.#box.selectionEnd];
    this.#box.value = event.newValue;
    this.#box.setSelectionRange(start, end);
  }
}

// Other users whose notes are saved in this browser.
export function otherUsers(user) {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX) && localStorage.getItem(key))
      .map((key) => key.slice(PREFIX.length))
      .filter((name) => name !== user && !name.startsWith("anonymous@"))
      .sort((one, other) => one.localeCompare(other));
  } catch {
    return [];
  }
}

// The name of a user whose session has ended by itself, offered to whoever comes next on this machine: most likely the same
// one. Who signs out by hand is forgotten.
export const rememberName = (user) => write(NAME, user === "anonymous" ? "" : user);
export const rememberedName = () => read(NAME);

// What was erased in this tab, and a way to bring it back; null where nothing was.
export function erased() {
  const { key, text } = sessionTake(ERASED) ?? {};
  return key && text ? () => write(key, join(read(key), text)) : null;
}

// Whether the notes that were on the page before are in the browser still.
export function kept() {
  return sessionTake(KEPT) === true;
}

function join(first, second) {
  return first && second && first !== second ? `${first}\n${second}` : second || first;
}

function read(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function write(key, text) {
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
    return true;
  } catch {
    return false;
  }
}

function sessionWrite(key, text) {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // Then the notes stay where they are, under nobody's name.
  }
}

function sessionTake(key) {
  try {
    const text = sessionStorage.getItem(key);
    sessionStorage.removeItem(key);
    return JSON.parse(text);
  } catch {
    return null;
  }
}
