// The script's own element, `<lastcall-banner>`, at the beginning of the body. Its shadow root keeps the page's styles out. It holds
// the live region for screen readers, and the default banner where the page brings none.

import { BANNER_STYLE } from "./banner_style.js";
import { element } from "./element.js";

// Screen readers do not notice text in a live region that was only just inserted.
const LIVE_REGION_DELAY_MS = 150;

export class Host {
  #announcer = element("div", { id: "announcer", role: "status", "aria-live": "polite" });
  #silent;

  // `silent`: the page makes its own announcements.
  constructor({ language, direction }, silent) {
    this.#silent = silent;
    this.element = element("lastcall-banner", { lang: language, dir: direction });
    this.shadow = this.element.attachShadow({ mode: "open" });
    this.shadow.append(this.#announcer);
    // A constructed style sheet is not an inline style, so a strict content security policy allows it.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(BANNER_STYLE);
    this.shadow.adoptedStyleSheets = [sheet];
    this.insert();
  }

  // Inserts the element where it is missing: a page may replace its body. Returns whether it was missing.
  insert() {
    if (this.element.isConnected || !document.body) return false;
    document.body.prepend(this.element);
    return true;
  }

  // Announces a text to screen readers when they are idle. Never moves the focus.
  announce(text) {
    if (this.#silent) return;
    if (this.insert()) setTimeout(() => (this.#announcer.textContent = text), LIVE_REGION_DELAY_MS);
    else this.#announcer.textContent = text;
  }
}
