// The `lastcall:*` events by which a page follows what happens.

// Dispatches an event on `window`. Returns false where the page called `preventDefault()`.
export function emit(name, detail, cancelable = false) {
  return dispatchEvent(new CustomEvent(`lastcall:${name}`, { detail, cancelable }));
}
