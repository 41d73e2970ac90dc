// The title of the tab shows the time that is left, and what the page calls itself meanwhile.

const title = {
  own: null,
  shown: null,

  show(seconds) {
    if (document.title !== this.shown) this.own = document.title;
    const next = words.title(seconds, this.own);
    if (next === this.shown) return;
    document.title = next;
    // As the document has it: it may take blanks away.
    this.shown = document.title;
  },

  // The session has ended: seen from another tab as well.
  end() {
    this.restore();
    document.title = words.endedTitle(document.title);
  },

  restore() {
    if (this.shown !== null && document.title === this.shown) document.title = this.own;
    this.shown = null;
  },
};
