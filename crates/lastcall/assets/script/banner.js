// The banner: the page's own `#drain-banner`, or the default one. Whatever part of it is missing is not filled.

// Who was told that they need not leave is to see it, not only to miss the banner.
const REPRIEVE_MS = 12_000;
const URGENT_MS = 10_000;
// What a framework may put back from a history snapshot, as it was when the snapshot was taken.
const PARTS = "lastcall-banner, #drain-banner, #reprieve, #drain-over";

class Banner {
  #root = null;
  #box = null;
  #leave;
  // What runs, and whether it is small: drawn again where the page has taken the banner away.
  #notice = null;
  #left = 0;
  #quiet = false;
  // Who had the focus before it came into the banner.
  #before = null;
  #reprieve = null;
  // What is said of the end, while it is.
  #end = null;
  #room = new Room();

  // `leave()` signs out, by hand.
  constructor(leave) {
    this.#leave = leave;
    this.#settle();
    new MutationObserver((changes) => changes.some(isRestored) && this.settle()).observe(document, { childList: true, subtree: true });
  }

  // Shows what is true now in whatever banner the page has now, and nothing of what was true once.
  settle() {
    for (const copy of [...document.getElementsByTagName("lastcall-banner")]) if (copy !== host) copy.remove();
    const anew = this.#settle();
    for (const copy of document.querySelectorAll("#drain-banner")) if (copy !== this.#box) copy.hidden = true;
    if (!this.#notice) this.#hide("drain-banner");
    else if (anew) this.#draw();
    if (this.#reprieve === null) this.#hide("reprieve");
    if (this.#end) this.#showEnd();
    else this.#hide("drain-over");
    title.settle();
  }

  arrive(notice) {
    this.#notice = notice;
    this.#left = notice.remaining_ms;
    this.#quiet = false;
    this.#settle();
    this.#draw();
  }

  // Shown in the browser's own time, however wrong its clock is: as far away as the countdown says.
  correct(remainingMs) {
    this.#write("drain-end", spokenClock.format(new Date(Date.now() + remainingMs)));
  }

  tick(left) {
    this.#left = left;
    if (this.#settle()) this.#draw();
    else this.#count();
  }

  gone() {
    this.#notice = null;
    this.#hide("drain-banner");
  }

  cancelled() {
    this.#settle();
    if (!this.#write("reprieve", words.cancelled)) return;
    this.#show("reprieve");
    this.#reprieve = setTimeout(() => this.#endReprieve(), REPRIEVE_MS);
  }

  // The session has ended.
  over(reason) {
    const [ended, byHand] = [words.ended[reason] ?? words.ended.gone, reason === "left" || reason === "logout"];
    title.end();
    // What becomes of saved text when somebody signs out is the page's affair.
    this.#tellEnd(savesText() ? `${ended} ${byHand ? "" : words.saved}`.trim() : `${ended} ${words.kept}`);
  }

  // The time is over, and nobody says what became of the session.
  stopped() {
    title.stopped();
    this.#tellEnd(`${words.stopped} ${savesText() ? words.saved : words.kept} ${words.reload}`);
  }

  // Somebody answers again.
  answered() {
    this.#end = null;
    this.#hide("drain-over");
    title.restore();
  }

  #tellEnd(text) {
    this.#end = text;
    this.trouble("");
    this.#settle();
    say(text);
    this.#showEnd();
  }

  #showEnd() {
    if (this.#write("drain-over-text", this.#end)) this.#show("drain-over");
  }

  trouble(text) {
    if (text) say(text);
    if (this.#write("drain-problem", text)) this.#part("drain-problem").hidden = !text;
  }

  // Somebody has pressed the button, and is not to wonder whether it was heard.
  busy(busy) {
    const way = this.#part("leave-now");
    const button = way?.matches("form") ? way.querySelector("button") : way;
    if (!button) return;
    button.textContent = busy ? words.leaving : words.leave;
    button.setAttribute("aria-disabled", String(busy));
  }

  // Looks the banner up: the page's own, which it may have replaced, else the default one. Gives whether it is another one,
  // or stands in the page anew.
  #settle() {
    const placed = place();
    const own = document.getElementById("drain-banner");
    if (!own && !shadow.getElementById("drain-banner")) shadow.append(...defaultBanner());
    this.#root = own ? document : shadow;
    const box = this.#part("drain-banner");
    if (box === this.#box) return placed && !own;
    if (this.#box) {
      // One banner is enough.
      this.#box.hidden = true;
      this.#room.free(this.#box);
    }
    this.#box = box;
    this.#dress(box);
    return true;
  }

  #dress(box) {
    box.lang = language;
    box.dir = direction;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", words.label);
    this.busy(false);
    const way = this.#part("leave-now");
    way?.addEventListener(way.matches("form") ? "submit" : "click", (event) => {
      event.preventDefault();
      this.#leave();
    });
    this.#part("stay-here")?.addEventListener("click", () => this.#quieten(!this.#quiet));
    this.#part("drain-hide")?.addEventListener("click", () => {
      this.#end = null;
      this.#hide("drain-over");
    });
    this.#write("drain-left", words.left);
    this.#write("drain-short", words.short);
    this.#write("drain-hide", words.hide);
    for (const part of [box, this.#part("drain-over")]) {
      part?.addEventListener("focusin", ({ relatedTarget }) => {
        if (relatedTarget && !box.contains(relatedTarget)) this.#before = relatedTarget;
      });
    }
  }

  #draw() {
    const notice = this.#notice;
    this.#endReprieve();
    this.trouble("");
    this.#quieten(this.#quiet);
    const stay = this.#part("stay-here");
    if (stay) stay.hidden = notice.auto_logout;
    const until = this.#part("drain-until");
    const time = this.#part("drain-end") ?? element("time", { id: "drain-end" });
    time.dateTime = notice.forced_logout_at;
    time.title = notice.forced_logout_at.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
    const [before, after] = notice.stays_signed_in ? words.goesOn : words.until;
    until?.replaceChildren(before, time, after);
    // All of it before it is shown: it must not grow over something afterwards.
    this.correct(this.#left);
    this.#count();
    this.#show("drain-banner");
  }

  // One number, wherever it stands. A page that is morphed may have hidden the banner.
  #count() {
    const seconds = Math.ceil(this.#left / 1000);
    this.#write("countdown", `${seconds}s`);
    this.#write("drain-message", words.message(this.#notice, seconds));
    if (this.#box.hidden && this.#notice) this.#show("drain-banner");
    this.#box.classList.toggle("urgent", this.#left <= URGENT_MS);
  }

  // Small, for whoever has decided to stay. The button stays where it is, and so does the focus.
  #quieten(quiet) {
    this.#quiet = quiet;
    this.#box.toggleAttribute("data-quiet", quiet);
    const stay = this.#notice?.stays_signed_in ? words.keepWorking : words.stay;
    this.#write("stay-here", quiet ? words.whole : stay);
    this.#room.measure();
  }

  #endReprieve() {
    clearTimeout(this.#reprieve);
    this.#reprieve = null;
    this.#hide("reprieve");
  }

  #show(id) {
    const part = this.#part(id);
    part.hidden = false;
    this.#room.keepFrom(part);
  }

  #hide(id) {
    const part = this.#part(id);
    if (!part) return;
    const focused = part.contains(this.#root.activeElement);
    part.hidden = true;
    this.#room.free(part);
    // Whoever was in it goes back to where they were, not to the beginning of the page.
    if (focused && this.#before?.isConnected) this.#before.focus({ preventScroll: true });
  }

  // Gives whether there is such a part.
  #write(id, text) {
    const part = this.#part(id);
    if (part && part.textContent !== text) part.textContent = text;
    return part !== null;
  }

  #part(id) {
    return this.#root.getElementById(id);
  }
}

// Whether a change to the page may have brought something back: a part of the banner, or another title.
function isRestored({ target, addedNodes }) {
  const brings = (node) => node !== host && node.nodeType === 1 && (node.matches(`title, ${PARTS}`) || node.querySelector(PARTS));
  return target.nodeName === "TITLE" || [...addedNodes].some(brings);
}

// Whether the page keeps what is typed into it in the browser, as it says itself.
const savesText = () => choices.saves !== undefined;

// For a page that draws its own from the events.
const noBanner = {};
for (const part of ["arrive", "correct", "tick", "gone", "cancelled", "over", "stopped", "answered", "trouble", "busy", "settle"])
  noBanner[part] = () => {};
