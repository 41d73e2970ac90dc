// The session that this tab had before, so that the page can say where a new one began for want of the old one's pod.

const KEY = "lastcall.session";

// Remembers the session that this tab has now. Gives the one before where that has ended and was on another pod.
export function next(now) {
  try {
    const before = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.setItem(KEY, JSON.stringify(now));
    return before && before.id !== now.id && before.pod !== now.pod ? before : null;
  } catch {
    return null;
  }
}

// The user has signed out by hand: the next session is a new one because they wanted that.
export function forget() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Then nothing was remembered either.
  }
}
