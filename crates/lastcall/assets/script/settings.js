// Settings that a page makes by `data-*` attributes on the script tag.

// Read while the script is evaluated: later, `document.currentScript` is null. It is also null in a module, whose tag is found
// by its address.
const tag = document.currentScript ?? document.querySelector('script[src*="/assets/lastcall.js"]');

// Reads the settings. Called once the page's own scripts have run, since they may still set attributes.
export function readSettings() {
  const data = tag?.dataset ?? {};
  // With `SESSION_SCOPE=tab` the session lives under a path of its tab.
  const tabPath = /^\/t\/[0-9A-Za-z]{16,64}\//.exec(location.pathname)?.[0];
  return {
    base: data.base ?? tabPath ?? "/",
    language: data.lang,
    // The page draws its own banner from the events.
    customUi: data.banner === "none",
    // The server rendered this page for a session.
    hasSession: data.session !== undefined,
    // The notice that the server rendered into the page, as JSON.
    renderedNotice: document.getElementById("drain-banner")?.dataset.drain ?? data.drain,
    // Whether the page stores what users type. The attribute may change at any time.
    savesText: () => data.saves !== undefined,
  };
}
