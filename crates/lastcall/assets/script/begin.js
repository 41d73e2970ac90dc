// Begins once the page stands and its own scripts, deferred or modules, have run: they are to hear everything. A second
// tag changes nothing.

const MARK = Symbol.for("lastcall");
if (!globalThis[MARK]) {
  globalThis[MARK] = true;
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    run();
  };
  // With `async` it may come after the one event and long before the other.
  const [navigation] = performance.getEntriesByType("navigation");
  if (document.readyState === "complete" || navigation?.domContentLoadedEventEnd > 0) begin();
  document.addEventListener("DOMContentLoaded", begin);
  addEventListener("load", begin);
}
