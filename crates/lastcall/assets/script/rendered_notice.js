// The notice that the server rendered into the page, known before a stream is open.

// Returns the notice, or null where there is none, or where the page may be outdated.
export function renderedNotice(json) {
  return isFresh() ? parse(json) : null;
}

// Whether the server rendered the page just now: it is neither a saved file nor restored from a cache by the back button.
function isFresh() {
  const [navigation] = performance.getEntriesByType("navigation");
  return location.protocol !== "file:" && navigation?.type !== "back_forward";
}

function parse(json) {
  try {
    return JSON.parse(json || "null");
  } catch {
    return null;
  }
}
