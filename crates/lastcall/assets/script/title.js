// The title of the tab shows the time that is left, and what the page calls itself meanwhile. A page's history may bring back a
// title that was shown once: what was put before it is taken away first, so that it never stands there twice. Nothing else is: a
// page may well call itself "Signed out · Shop". The time that is left is known by its looks, in a saved page as well.

const PREFIXES = Object.values(languages).map(({ title }) => title("\\d+", "").replace(/ $/, "\\s*"));
const PREFIXED = new RegExp(`^(?:${PREFIXES.join("|")})+`);

const title = {
  // What is put around the page's own title now, if anything.
  around: null,
  own: null,
  next: null,
  shown: null,
  // Every title without a time that was put around the page's own here, and that own title.
  made: new Map(),

  show(seconds) {
    this.put((own) => words.title(seconds, own));
  },

  // The session has ended: seen from another tab as well.
  end() {
    this.put(words.endedTitle);
  },

  stopped() {
    this.put(words.stoppedTitle);
  },

  restore() {
    this.around = null;
    this.settle();
  },

  // After the page has changed its title, or its history has.
  settle() {
    if (document.title !== this.shown) this.own = this.made.get(document.title) ?? document.title.replace(PREFIXED, "");
    const next = this.around ? this.around(this.own) : this.own;
    if (document.title === this.shown && next === this.next) return;
    if (document.title !== next) document.title = next;
    // As the document has it: it may take blanks away.
    [this.next, this.shown] = [next, document.title];
    if (this.around && !PREFIXED.test(next)) this.made.set(this.shown, this.own);
  },

  put(around) {
    this.around = around;
    this.settle();
  },
};
