// The tab's title, with the remaining time or the end of the session around the page's own title.
//
// A framework may restore a title that was decorated earlier, so decorations are removed before a new one is added. Only titles
// that this script made are undone: a page may call itself "Signed out · Shop". Titles with a remaining time are recognised by
// their form, since they may also come from a saved page.

import { languages } from "./languages.js";

const TIME_PREFIXES = Object.values(languages).map(({ title }) => title("\\d+", "").replace(/ $/, "\\s*"));
const TIME_PREFIX = new RegExp(`^(?:${TIME_PREFIXES.join("|")})+`);

// Whether the document's title shows a remaining time.
export const titleShowsTime = () => TIME_PREFIX.test(document.title);

export class Title {
  #words;
  // Decorates the page's own title, or null.
  #decorate = null;
  #own = null;
  // The title that was set last, and how the document returned it: it may trim spaces.
  #set = null;
  #shown = null;
  // The page's own title for each decorated title without a time.
  #originals = new Map();

  constructor(words) {
    this.#words = words;
  }

  showTime(seconds) {
    this.#use((own) => this.#words.title(seconds, own));
  }

  // Shows that the session has ended.
  showEnd() {
    this.#use(this.#words.endedTitle);
  }

  // Shows that the server does not respond.
  showStopped() {
    this.#use(this.#words.stoppedTitle);
  }

  restore() {
    this.#use(null);
  }

  // Decorates the title again after the page or its history has changed it.
  update() {
    if (document.title !== this.#shown) this.#own = this.#originals.get(document.title) ?? document.title.replace(TIME_PREFIX, "");
    const next = this.#decorate ? this.#decorate(this.#own) : this.#own;
    if (document.title === this.#shown && next === this.#set) return;
    if (document.title !== next) document.title = next;
    [this.#set, this.#shown] = [next, document.title];
    if (this.#decorate && !TIME_PREFIX.test(next)) this.#originals.set(this.#shown, this.#own);
  }

  #use(decorate) {
    this.#decorate = decorate;
    this.update();
  }
}
