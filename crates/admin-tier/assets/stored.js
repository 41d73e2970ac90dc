// What the browser keeps for these pages. Where it keeps nothing, as some are told to, nothing is remembered.

/** `localStorage` or `sessionStorage`, by name. */
export function stored(area) {
  const attempt = (what) => {
    try {
      return what(globalThis[area]);
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
