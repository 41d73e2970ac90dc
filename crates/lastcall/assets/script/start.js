// Starts the script once, when the document is parsed.

const MARK = Symbol.for("lastcall");

// Calls `run` once the page's own scripts have run, deferred ones and modules included, so that they see every event. A second script
// tag has no effect.
export function startOnce(run) {
  if (globalThis[MARK]) return;
  globalThis[MARK] = true;
  let started = false;
  const start = () => {
    if (started) return;
    started = true;
    run();
  };
  // With `async` the script may run after `DOMContentLoaded` and long before `load`.
  const [navigation] = performance.getEntriesByType("navigation");
  if (document.readyState === "complete" || navigation?.domContentLoadedEventEnd > 0) start();
  document.addEventListener("DOMContentLoaded", start);
  addEventListener("load", start);
}
