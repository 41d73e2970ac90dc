// The previous session of this tab, so that the page can say that a new one began because the old one's pod has gone.

const KEY = "lastcall.session";

// Stores the current session. Returns the previous one where it has ended and was on another pod, else null.
export function replace(current) {
  try {
    const previous = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.setItem(KEY, JSON.stringify(current));
    return previous && previous.id !== current.id && previous.pod !== current.pod ? previous : null;
  } catch {
    return null;
  }
}

// Forgets the session after the user has signed out: the next one starts because the user wants it.
export function forget() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was stored either.
  }
}
