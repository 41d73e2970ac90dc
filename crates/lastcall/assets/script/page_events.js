// The `lastcall:*` events by which a page follows what happens.

// Dispatches an event on `window`. Returns false where the page called `preventDefault()`.
export function emit(name, detail, cancelable = false) {
  return dispatchEvent(new CustomEvent(`lastcall:${name}`, { detail, cancelable }));
}

// Dispatches an event that the page may delay or prevent on `target`, from which it bubbles to `window`. Its `waitUntil(promise)` is
// the given function. Returns false where the page called `preventDefault()`.
export function emitWaiting(name, detail, waitUntil, target = window) {
  const event = new CustomEvent(`lastcall:${name}`, { detail, cancelable: true, bubbles: true });
  event.waitUntil = waitUntil;
  return target.dispatchEvent(event);
}

// Dispatches an event on the document, from which it bubbles to `window`.
export function emitOnDocument(name, detail) {
  document.dispatchEvent(new CustomEvent(`lastcall:${name}`, { detail, bubbles: true }));
}
