// The elements of the banner, found by id: the page's own `#drain-banner`, or else the default one. Parts that a page's own banner
// does not have are left out.

import { createDefaultBanner } from "./default_banner.js";
import { Placement } from "./placement.js";
import { ScrollPadding } from "./scroll_padding.js";

export class BannerParts {
  #host;
  #onNewBanner;
  #padding;
  // The default banner's place.
  #placement;
  // The parts of the default banner that are visible.
  #visible = new Set();
  // The document, or the shadow root that holds the default banner.
  #root = null;
  // The element that had the focus before it moved into the banner.
  #focusedBefore = null;

  // The banner itself.
  banner = null;

  // `onNewBanner()` is called when the page has brought another banner. `onMove()` is called when the default banner has moved, or has
  // changed its form.
  constructor(host, onNewBanner, onMove) {
    this.#host = host;
    this.#placement = new Placement(host.element, () => {
      this.#padding.update();
      onMove();
    });
    this.#padding = new ScrollPadding(host.element, () => (this.#root === host.shadow ? this.#placement.edge : "top"));
    this.#onNewBanner = onNewBanner;
  }

  // Looks the banner up, since the page may have replaced it. Returns whether it is another one, or was inserted again.
  locate() {
    const { shadow } = this.#host;
    const inserted = this.#host.insert();
    const own = document.getElementById("drain-banner");
    if (!own && !shadow.getElementById("drain-banner")) shadow.append(...createDefaultBanner());
    this.#root = own ? document : shadow;
    if (own) this.#setVisible(null);
    const banner = this.find("drain-banner");
    if (banner === this.banner) return inserted && !own;
    if (this.banner) {
      this.banner.hidden = true;
      this.#padding.remove(this.banner);
    }
    this.banner = banner;
    for (const part of [banner, this.find("drain-over")]) {
      part?.addEventListener("focusin", ({ relatedTarget }) => {
        if (relatedTarget && !banner.contains(relatedTarget)) this.#focusedBefore = relatedTarget;
      });
    }
    this.#onNewBanner();
    return true;
  }

  find(id) {
    return this.#root.getElementById(id);
  }

  // Sets the text of a part. Returns whether the part exists.
  write(id, text) {
    const part = this.find(id);
    if (part && part.textContent !== text) part.textContent = text;
    return part !== null;
  }

  show(id) {
    const part = this.find(id);
    part.hidden = false;
    this.#setVisible(id, true);
    this.#padding.add(part);
  }

  // Hides a part. A focus inside it returns to the element that had it before, and not to the beginning of the page.
  hide(id) {
    const part = this.find(id);
    if (!part) return;
    const focused = part.contains(this.#root.activeElement);
    part.hidden = true;
    this.#padding.remove(part);
    this.#setVisible(id, false);
    if (focused && this.#focusedBefore?.isConnected) this.#focusedBefore.focus({ preventScroll: true });
  }

  // Adjusts the place and the scroll padding to the banner's size and to the page.
  resize() {
    if (this.#visible.size) this.#placement.update();
    this.#padding.update();
  }

  // The place of the default banner; null for a page's own banner.
  get placement() {
    return this.#root === this.#host.shadow ? this.#placement : null;
  }

  // Notes that a part of the default banner is visible or not. `null`: all parts.
  #setVisible(id, visible = false) {
    const had = this.#visible.size;
    if (id === null) this.#visible.clear();
    else if (visible && this.#root === this.#host.shadow) this.#visible.add(id);
    else this.#visible.delete(id);
    if (had || this.#visible.size) this.#placement.update(this.#visible.size > 0);
  }
}
