// The notes: stored in this browser while the user types, under the user's name, so that other users do not see them.

import { timeFormat, words } from "./words.js";

const timeOfDay = timeFormat({ timeStyle: "medium" });
const PREFIX = "lastcall.notes:";
const ERASED = "lastcall.erased";
const KEPT = "lastcall.kept";
const NAME = "lastcall.name";
const HANDED_OVER = "lastcall.from";
// With `SESSION_SCOPE=tab` the anonymous users of two tabs are different users, so the tab's path is part of the key.
const keyOf = (user, base) => (user === "anonymous" ? `${PREFIX}anonymous@${base}` : `${PREFIX}${user}`);

export class Notes {
  #box;
  #hint;
  #key;
  #onSave;
  // Another tab of this user has erased the notes. The text on screen stays, but is not saved unless the user edits it.
  #erasedElsewhere = false;

  // `onSave(saved)` is called after each attempt to save.
  constructor(box, hint, user, base, onSave) {
    this.#onSave = onSave;
    this.#box = box;
    this.#hint = hint;
    this.#key = keyOf(user, base);
    this.#takeOver(user, base);
    // Text that was typed before this script ran must not be lost.
    const typed = box.value;
    box.value = join(read(this.#key), typed);
    if (typed) this.save();
    box.addEventListener("input", () => this.save());
    addEventListener("pagehide", () => this.flush());
    addEventListener("storage", (event) => this.#applyStorageEvent(event));
  }

  save() {
    this.#erasedElsewhere = false;
    const saved = write(this.#key, this.#box.value);
    this.#hint.textContent = saved ? words.saved(timeOfDay.format(new Date())) : words.notSaved;
    this.#hint.classList.toggle("bad", !saved);
    this.#onSave(saved);
  }

  // Saves the text on screen where it differs from the stored text.
  flush() {
    if (!this.#erasedElsewhere && this.#box.value !== read(this.#key)) this.save();
  }

  // Lets the notes of an anonymous user follow when that user signs in with a name.
  handOver(user, base) {
    this.flush();
    sessionWrite(HANDED_OVER, JSON.stringify({ from: this.#key, base }));
  }

  // Erases the notes. The next page can restore them until this tab is closed.
  erase() {
    const text = this.#box.value;
    if (text) sessionWrite(ERASED, JSON.stringify({ key: this.#key, text }));
    this.#box.value = "";
    write(this.#key, "");
  }

  // Keeps the notes in this browser, and lets the next page say so.
  keep() {
    if (this.#box.value) sessionWrite(KEPT, "true");
  }

  // The user has signed out in another tab: notes that were erased there disappear from this screen.
  applyErasure() {
    if (this.#erasedElsewhere) this.#box.value = "";
  }

  // Adds the notes that were handed over.
  #takeOver(user, base) {
    if (user === "anonymous") return;
    const handed = sessionTake(HANDED_OVER);
    if (handed?.base !== base || handed.from !== keyOf("anonymous", base)) return;
    const text = read(handed.from);
    if (text && write(this.#key, join(read(this.#key), text))) write(handed.from, "");
  }

  // Another tab of this user has saved or erased the notes.
  #applyStorageEvent(event) {
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

// Returns the other users whose notes are stored in this browser.
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

// The name of a user whose session has ended without a logout. It is offered at the next sign-in, most likely by the same user.
export const rememberName = (user) => write(NAME, user === "anonymous" ? "" : user);
export const rememberedName = () => read(NAME);

// Returns a function that restores the notes that were erased in this tab, or null where none were.
export function takeErased() {
  const { key, text } = sessionTake(ERASED) ?? {};
  return key && text ? () => write(key, join(read(key), text)) : null;
}

// Returns whether the previous page kept its notes in this browser.
export function takeKept() {
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
    // The notes stay stored for the anonymous user.
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
