// The banner: the page's own `#drain-banner`, or the default one. Whatever part of it is missing is not filled.

// Who was told that they need not leave is to see it, not only to miss the banner.
const REPRIEVE_MS = 12_000;
const URGENT_MS = 10_000;

class Banner {
  #root = ownBanner ? document : shadow;
  #box = this.#part("drain-banner");
  #reprieve;
  #room = new Room();

  // `leave()` signs out, by hand.
  constructor(leave) {
    this.#box.lang = language;
    this.#box.dir = direction;
    this.#box.setAttribute("role", "region");
    this.#box.setAttribute("aria-label", words.label);
    const way = this.#part("leave-now");
    const leaveButton = way?.matches("form") ? way.querySelector("button") : (way ?? this.#box.querySelector("button"));
    if (leaveButton) leaveButton.textContent = words.leave;
    way?.addEventListener(way.matches("form") ? "submit" : "click", (event) => {
      event.preventDefault();
      leave();
    });
    this.#part("stay-here")?.addEventListener("click", () => this.#quieten(!this.#isQuiet));
    this.#part("drain-hide")?.addEventListener("click", () => this.#hide("drain-over"));
    this.#write("drain-left", words.left);
    this.#write("drain-hide", words.hide);
  }

  arrive(notice) {
    this.#endReprieve();
    this.#write("drain-message", words.message(notice));
    this.trouble("");
    this.#quieten(false);
    const stay = this.#part("stay-here");
    if (stay) stay.hidden = notice.auto_logout;
    const until = this.#part("drain-until");
    const time = this.#part("drain-end") ?? element("time", { id: "drain-end" });
    time.dateTime = notice.forced_logout_at;
    time.title = notice.forced_logout_at.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
    until?.replaceChildren(words.until[0], time, words.until[1]);
    // All of it before it is shown: it must not grow over something afterwards.
    this.correct(notice.remaining_ms);
    this.tick(notice.countdown, notice.remaining_ms);
    this.#show("drain-banner");
  }

  // Shown in the browser's own time, however wrong its clock is: as far away as the countdown says.
  correct(remainingMs) {
    this.#write("drain-end", spokenClock.format(new Date(Date.now() + remainingMs)));
  }

  tick(seconds, left) {
    this.#write("countdown", `${seconds}s`);
    this.#box.classList.toggle("urgent", left <= URGENT_MS);
  }

  gone() {
    this.#hide("drain-banner");
  }

  cancelled() {
    if (!this.#write("reprieve", words.cancelled)) return;
    this.#show("reprieve");
    this.#reprieve = setTimeout(() => this.#endReprieve(), REPRIEVE_MS);
  }

  // The session has ended. A page with a banner of its own says so itself.
  over(reason) {
    const text = `${words.ended[reason] ?? words.ended.gone} ${words.kept}`;
    if (!ownBanner) say(text);
    if (this.#write("drain-over-text", text)) this.#show("drain-over");
  }

  trouble(text) {
    if (text) say(text);
    if (this.#write("drain-problem", text)) this.#part("drain-problem").hidden = !text;
  }

  get #isQuiet() {
    return "quiet" in this.#box.dataset;
  }

  // Small, for whoever has decided to stay. The button stays where it is, and so does the focus.
  #quieten(quiet) {
    this.#box.toggleAttribute("data-quiet", quiet);
    this.#write("stay-here", quiet ? words.whole : words.stay);
    this.#room.measure();
  }

  #endReprieve() {
    clearTimeout(this.#reprieve);
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
    part.hidden = true;
    this.#room.free(part);
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

// For a page that draws its own from the events.
const noBanner = { arrive() {}, correct() {}, tick() {}, gone() {}, cancelled() {}, over() {}, trouble() {} };
