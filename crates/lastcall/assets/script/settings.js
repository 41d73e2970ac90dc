// Settings that a page makes by `data-*` attributes on the script tag.

import { isShownAround } from "./frames.js";

// Read while the script is evaluated: later, `document.currentScript` is null. It is also null in a module, whose tag is found
// by its address.
const tag = document.currentScript ?? document.querySelector('script[src*="/assets/lastcall.js"]');

const SCRIPT = "assets/lastcall.js";

// The prefix of the service's own routes, as the tag's address shows it: empty, or like `_lastcall/`.
function routePrefix(base) {
  const path = tag?.src ? new URL(tag.src, location.href).pathname : "";
  const below = path.startsWith(base) ? path.slice(base.length) : path.slice(1);
  return below.endsWith(SCRIPT) ? below.slice(0, -SCRIPT.length) : "";
}

// What addresses begin with: nothing, or this page's own origin where a `<base>` leads elsewhere.
const ownOrigin = () => (location.origin === "null" || new URL(document.baseURI).origin === location.origin ? "" : location.origin);

// Reads the settings. Called once the page's own scripts have run, since they may still set attributes.
export function readSettings() {
  const data = tag?.dataset ?? {};
  // With `SESSION_SCOPE=tab` the session lives under a path of its tab.
  const tabPath = /^\/t\/[0-9A-Za-z]{16,64}\//.exec(location.pathname)?.[0];
  const base = data.base ?? tabPath ?? "/";
  return {
    // The path of the session.
    base,
    // The path of the service's own routes, for that session.
    routes: ownOrigin() + base + (data.prefix === undefined ? routePrefix(base) : data.prefix.replace(/^\/(.+)$/, "$1/")),
    language: data.lang,
    // The page draws its own banner from the events, or a page around it shows the banner.
    customUi: data.banner === "none" || isShownAround(),
    // The server rendered this page for a session.
    hasSession: data.session !== undefined,
    // The notice that the server rendered into the page, as JSON.
    renderedNotice: document.getElementById("drain-banner")?.dataset.drain ?? data.drain,
    // Whether the page stores what users type. The attribute may change at any time.
    savesText: () => data.saves !== undefined,
    // The names of the work that the page knows to be in progress, such as "Upload". The attribute may change at any time.
    workNames: () => (data.work ?? "").split(",").map((name) => name.trim()).filter(Boolean),
  };
}
