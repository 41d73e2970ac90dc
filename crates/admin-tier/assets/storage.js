// Access to the browser's storage that does not fail: where the browser blocks storage, nothing is stored.

/** Returns a wrapper of `localStorage` or `sessionStorage`, by name. */
export function safeStorage(area) {
  const attempt = (action) => {
    try {
      return action(globalThis[area]);
    } catch {
      return null;
    }
  };
  return {
    get: (key) => attempt((storage) => storage.getItem(key)),
    set: (key, value) => attempt((storage) => storage.setItem(key, value)),
    remove: (key) => attempt((storage) => storage.removeItem(key)),
  };
}
