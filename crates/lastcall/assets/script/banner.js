// What the banner shows: the running notice with its countdown, its cancellation, and the end of the session.

import { BannerParts } from "./banner_parts.js";
import { element } from "./element.js";
import { observeRestoredParts, removeCopies } from "./restored_parts.js";
import { describeWorkBriefly } from "./texts.js";

// How long a cancellation stays visible, so that users see that they may stay.
const CANCELLATION_MS = 12_000;
const URGENT_MS = 10_000;

export class Banner {
  #host;
  #title;
  #texts;
  #savesText;
  #workNames;
  #describeWork;
  #logout;
  #move;
  #parts;
  // The running notice, its remaining time, and whether the user has collapsed the banner. Kept so that the banner can be drawn again
  // where the page has replaced it.
  #notice = null;
  #remainingMs = 0;
  #collapsed = false;
  // Whether what the button does is in progress.
  #busy = false;
  // The timer that hides the cancellation, while that is visible.
  #cancellation = null;
  // The message at the end of the session, while that is visible.
  #endMessage = null;

  // `savesText()`: whether the page stores what users type. `workNames()`: what the page says is running. `describeWork(notice)` says
  // what becomes of it. On a click, `move()` moves the session to another pod where it can move, and else `logout()` signs out.
  constructor({ host, title, texts, savesText, workNames, describeWork, logout, move }) {
    this.#host = host;
    this.#title = title;
    this.#texts = texts;
    this.#savesText = savesText;
    this.#workNames = workNames;
    this.#describeWork = describeWork;
    this.#logout = logout;
    this.#move = move;
    this.#parts = new BannerParts(host, () => this.#prepare(), () => this.#drawPlace());
    this.#parts.locate();
    observeRestoredParts(host.element, () => this.refresh());
  }

  // Shows the current state in the banner that the page has now, and hides everything else.
  refresh() {
    const changed = this.#parts.locate();
    removeCopies(this.#host.element, this.#parts.banner);
    if (!this.#notice) this.#parts.hide("drain-banner");
    else if (changed) this.#draw();
    if (this.#cancellation === null) this.#parts.hide("reprieve");
    if (this.#endMessage) this.#showEndMessage();
    else this.#parts.hide("drain-over");
    this.#title.update();
  }

  // Shows a notice: a new one, or one that has changed.
  showNotice(notice, isNew) {
    this.#notice = notice;
    this.#remainingMs = notice.remaining_ms;
    this.#parts.locate();
    if (isNew) {
      this.#collapsed = false;
      this.#parts.placement?.begin(notice.remaining_ms);
    }
    this.#draw();
  }

  // Shows the time of day of the end, on the browser's clock, which may differ from the server's.
  setEnd(remainingMs) {
    this.#parts.write("drain-end", this.#texts.timeOfDay.format(new Date(Date.now() + remainingMs)));
  }

  // Redraws the countdown.
  tick(remainingMs) {
    this.#remainingMs = remainingMs;
    if (this.#parts.locate()) this.#draw();
    else this.#drawCountdown();
    // The page may have changed.
    this.#parts.resize();
  }

  hideNotice() {
    this.#notice = null;
    this.#parts.hide("drain-banner");
  }

  showCancellation() {
    this.#parts.locate();
    if (!this.#parts.write("reprieve", this.#texts.words.cancelled)) return;
    this.#parts.show("reprieve");
    this.#cancellation = setTimeout(() => this.#hideCancellation(), CANCELLATION_MS);
  }

  // Shows that the session has ended, and why.
  showEnd(reason) {
    const { words } = this.#texts;
    const ended = words.ended[reason] ?? words.ended.gone;
    // After a logout by the user, whether to keep the saved text is the page's decision.
    const saved = reason === "left" || reason === "logout" ? "" : words.saved;
    this.#title.showEnd();
    this.#setEndMessage(`${ended} ${this.#savesText() ? saved : words.kept}`.trim());
  }

  // Shows that the server does not respond after the end of the countdown.
  showStopped() {
    const { words } = this.#texts;
    this.#title.showStopped();
    this.#setEndMessage(`${words.stopped} ${this.#savesText() ? words.saved : words.kept} ${words.reload}`);
  }

  // Hides the message of `showStopped()`: the server responds again.
  hideStopped() {
    this.#hideEndMessage();
    this.#title.restore();
  }

  // Shows a problem in the banner, or hides it where `text` is empty.
  showProblem(text) {
    if (text) this.#host.announce(text);
    if (this.#parts.write("drain-problem", text)) this.#parts.find("drain-problem").hidden = !text;
  }

  // Shows on the button whether a logout, or a move, is in progress.
  setBusy(busy) {
    this.#busy = busy;
    this.#drawButton();
  }

  #drawButton() {
    const { words } = this.#texts;
    const [busy, moves] = [this.#busy, this.#notice?.moves];
    const control = this.#parts.find("leave-now");
    const button = control?.matches("form") ? control.querySelector("button") : control;
    if (!button) return;
    const text = moves ? (busy ? words.moving : words.move) : busy ? words.leaving : words.leave;
    if (button.textContent !== text) button.textContent = text;
    button.setAttribute("aria-disabled", String(busy));
  }

  // Prepares a banner that was found for the first time.
  #prepare() {
    const { language, direction, words } = this.#texts;
    const { banner } = this.#parts;
    banner.lang = language;
    banner.dir = direction;
    banner.setAttribute("role", "region");
    banner.setAttribute("aria-label", words.label);
    this.#drawButton();
    const control = this.#parts.find("leave-now");
    control?.addEventListener(control.matches("form") ? "submit" : "click", (event) => {
      event.preventDefault();
      if (this.#notice?.moves) this.#move();
      else this.#logout();
    });
    this.#parts.find("stay-here")?.addEventListener("click", () => this.#collapse(!this.#collapsed));
    this.#parts.find("drain-fold")?.addEventListener("click", () => this.#parts.placement?.toggleFolded(this.#remainingMs));
    this.#parts.find("drain-move")?.addEventListener("click", () => this.#parts.placement?.toggleEdge());
    this.#drawPlace();
    this.#parts.find("drain-hide")?.addEventListener("click", () => this.#hideEndMessage());
    this.#parts.write("drain-left", words.left);
    this.#parts.write("drain-hide", words.hide);
  }

  // Names the buttons that move and fold the default banner.
  #drawPlace() {
    const { placement } = this.#parts;
    if (!placement) return;
    const { words } = this.#texts;
    const name = (id, text) => {
      const button = this.#parts.find(id);
      button.ariaLabel = button.title = text;
    };
    name("drain-move", placement.edge === "top" ? words.moveDown : words.moveUp);
    name("drain-fold", placement.folded ? words.expand : words.fold);
    this.#parts.find("drain-fold").ariaExpanded = String(!placement.folded);
  }

  #draw() {
    const { words } = this.#texts;
    const notice = this.#notice;
    this.#hideCancellation();
    this.showProblem("");
    this.#drawButton();
    this.#collapse(this.#collapsed);
    const stay = this.#parts.find("stay-here");
    if (stay) stay.hidden = notice.auto_logout;
    const time = this.#parts.find("drain-end") ?? element("time", { id: "drain-end" });
    time.dateTime = notice.forced_logout_at;
    time.title = notice.forced_logout_at.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
    const waited = notice.protected && notice.grace_ms > 0;
    const { until, goesOn } = waited ? words.work : words;
    const [before, after] = notice.moves && !waited ? words.movesOn : notice.stays_signed_in ? goesOn : until;
    const work = notice.protected ? [element("strong", { id: "drain-work" }), " "] : [];
    this.#parts.find("drain-until")?.replaceChildren(...work, before, time, after, notice.protected && !notice.moves ? ` ${words.work.logout}` : "");
    this.#parts.banner.toggleAttribute("data-protected", Boolean(notice.protected));
    // All texts are set before the banner is shown, so that it does not grow over the page afterwards.
    this.setEnd(this.#remainingMs);
    this.#drawCountdown();
    this.#parts.show("drain-banner");
  }

  // Shows the same number of seconds in the countdown and in the message. A page that is morphed may have hidden the banner.
  #drawCountdown() {
    const seconds = Math.ceil(this.#remainingMs / 1000);
    const { banner } = this.#parts;
    const { words } = this.#texts;
    this.#parts.write("countdown", `${seconds}s`);
    this.#parts.write("drain-message", words.message(this.#notice, seconds));
    // The page may begin and end work at any time.
    const isProtected = Boolean(this.#notice.protected);
    this.#parts.write("drain-short", isProtected ? describeWorkBriefly(words, this.#workNames()) : words.short);
    if (isProtected) this.#parts.write("drain-work", this.#describeWork(this.#notice));
    if (banner.hidden && this.#notice) this.#parts.show("drain-banner");
    banner.classList.toggle("urgent", this.#remainingMs <= URGENT_MS);
  }

  // Collapses or expands the banner. The button keeps its place and the focus.
  #collapse(collapsed) {
    const { words } = this.#texts;
    this.#collapsed = collapsed;
    this.#parts.banner.toggleAttribute("data-quiet", collapsed);
    const stay = this.#notice?.stays_signed_in ? words.keepWorking : words.stay;
    this.#parts.write("stay-here", collapsed ? words.expand : stay);
    this.#parts.resize();
  }

  #hideCancellation() {
    clearTimeout(this.#cancellation);
    this.#cancellation = null;
    this.#parts.hide("reprieve");
  }

  #setEndMessage(text) {
    this.#endMessage = text;
    this.showProblem("");
    this.#parts.locate();
    this.#host.announce(text);
    this.#showEndMessage();
  }

  #showEndMessage() {
    if (this.#parts.write("drain-over-text", this.#endMessage)) this.#parts.show("drain-over");
  }

  #hideEndMessage() {
    this.#endMessage = null;
    this.#parts.hide("drain-over");
  }
}

// For a page that draws its own banner from the events: has the same methods, which do nothing.
export const noBanner = {};
for (const method of Object.getOwnPropertyNames(Banner.prototype)) noBanner[method] = () => {};
