// The notes in this browser, under the user's name, so that other users do not see them: the text on screen, and what the server had.

const PREFIX = "lastcall.notes:";
const SERVER = "lastcall.server-notes:";
const ERASED = "lastcall.erased";
const KEPT = "lastcall.kept";
const NAME = "lastcall.name";
const HANDED_OVER = "lastcall.from";
// With `SESSION_SCOPE=tab` the anonymous users of two tabs are different users, so the tab's path is part of the key.
const nameOf = (user, base) => (user === "anonymous" ? `anonymous@${base}` : user);

export class LocalNotes {
  #name;

  constructor(user, base) {
    this.#name = nameOf(user, base);
    if (user !== "anonymous") this.#takeOver(base);
  }

  get text() {
    return read(PREFIX + this.#name);
  }

  // Stores the text on screen. Returns whether that worked.
  set(text) {
    return write(PREFIX + this.#name, text);
  }

  // What the server is known to have: `version`, `text`, and `sent`, the texts whose save was not answered. Null where nothing is known.
  get server() {
    try {
      const known = JSON.parse(read(SERVER + this.#name));
      return typeof known.version === "string" && typeof known.text === "string" && Array.isArray(known.sent) ? known : null;
    } catch {
      return null;
    }
  }

  setServer(known) {
    return write(SERVER + this.#name, JSON.stringify(known));
  }

  // What another tab has changed: "text", "server", or null.
  changeOf(event) {
    return { [PREFIX + this.#name]: "text", [SERVER + this.#name]: "server" }[event.key] ?? null;
  }

  // Erases the notes in this browser. The next page can restore them until this tab is closed.
  erase(text) {
    if (text) sessionWrite(ERASED, JSON.stringify({ name: this.#name, text }));
    write(PREFIX + this.#name, "");
    write(SERVER + this.#name, "");
  }

  // Lets the notes of an anonymous user follow when that user signs in with a name.
  handOver(base) {
    sessionWrite(HANDED_OVER, JSON.stringify({ from: this.#name, base }));
  }

  // Adds the notes that were handed over.
  #takeOver(base) {
    const handed = sessionTake(HANDED_OVER);
    if (handed?.base !== base || handed.from !== nameOf("anonymous", base)) return;
    const text = read(PREFIX + handed.from);
    if (!text || !this.set(join(this.text, text))) return;
    write(PREFIX + handed.from, "");
    write(SERVER + handed.from, "");
  }
}

export function join(first, second) {
  return first && second && first !== second ? `${first}\n${second}` : second || first;
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

// Returns what was erased in this tab: whether it had a name, and a function that restores it. Null where nothing was.
export function takeErased() {
  const { name, text } = sessionTake(ERASED) ?? {};
  if (!name || !text) return null;
  return { named: !name.startsWith("anonymous@"), restore: () => write(PREFIX + name, join(read(PREFIX + name), text)) };
}

// Lets the next page say that the notes are in this browser; `takeKept` returns whether they are.
export const rememberKept = () => sessionWrite(KEPT, "true");
export const takeKept = () => sessionTake(KEPT) === true;

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
