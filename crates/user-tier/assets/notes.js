// The notes on screen: what the user types is kept in this browser at once, and saved on the server a moment later.

import { LocalNotes, join, rememberKept } from "./local_notes.js";
import { merge } from "./merge.js";
import { NotesSync } from "./notes_sync.js";
import { timeFormat, words } from "./words.js";

const timeOfDay = timeFormat({ timeStyle: "medium" });

export class Notes {
  #box;
  #hint;
  #local;
  #sync;
  #onKeep;
  // Whether this browser keeps the text.
  #kept = true;
  // Another tab of this user has erased the notes in this browser. The text on screen stays, but is not saved unless the user edits it.
  #erasedElsewhere = false;
  // What was shown last, so that the hint changes only with the state. The time is that of the save.
  #state = "";
  // Whether the user has typed, so that a page that has only loaded its text says nothing.
  #typed = false;
  #merged = false;

  // `onKeep(kept)` is called after each attempt to keep the text in this browser.
  constructor(box, hint, user, base, onKeep) {
    this.#onKeep = onKeep;
    this.#box = box;
    this.#hint = hint;
    this.#local = new LocalNotes(user, base);
    // Text that was typed before this script ran must not be lost.
    const typed = box.value;
    box.value = join(this.#local.text, typed);
    this.#sync = new NotesSync({
      url: `${base}notes`,
      user,
      maxBytes: Number(box.dataset.maxBytes),
      local: this.#local,
      text: () => (this.#erasedElsewhere ? null : box.value),
      show: (text, merged) => this.#show(text, merged),
      onState: (state, excess) => this.#showState(state, excess),
    });
    if (typed) this.#edited();
    box.addEventListener("input", () => this.#edited());
    addEventListener("pagehide", () => {
      this.flush();
      this.#sync.leave();
    });
    addEventListener("pageshow", (event) => event.persisted && this.#sync.refresh());
    addEventListener("focus", () => this.#sync.refresh());
    addEventListener("storage", (event) => this.#applyStorageEvent(event));
    this.#sync.now();
  }

  // Whether the server has the text on screen.
  get isSaved() {
    return this.#sync.isSaved;
  }

  // Keeps the text on screen in this browser where it differs from the text there.
  flush() {
    if (!this.#erasedElsewhere && this.#box.value !== this.#local.text) this.#keep();
  }

  // Saves at once. Resolves when the server has the text, when it cannot get it any more, or when `timeoutMs` have passed.
  settle(timeoutMs) {
    this.flush();
    return this.#sync.settle(timeoutMs);
  }

  // The session has ended: from now on text is kept in this browser only.
  stop() {
    this.flush();
    this.#sync.stop();
  }

  // Lets the notes of an anonymous user follow when that user signs in with a name.
  handOver(base) {
    this.flush();
    this.#local.handOver(base);
  }

  // Erases the notes in this browser.
  erase() {
    this.#sync.stop();
    this.#local.erase(this.#box.value);
    this.#box.value = "";
  }

  // Keeps the notes in this browser, and lets the next page say so.
  keep() {
    if (this.#box.value) rememberKept();
  }

  // The user has signed out in another tab: notes that were erased there disappear from this screen.
  applyErasure() {
    if (this.#erasedElsewhere) this.#box.value = "";
  }

  #edited() {
    this.#erasedElsewhere = false;
    this.#typed = true;
    this.#merged = false;
    this.#keep();
    this.#sync.changed();
  }

  #keep() {
    this.#kept = this.#local.set(this.#box.value);
    this.#onKeep(this.#kept);
  }

  // Shows the server's text, or the server's and this page's combined. The cursor keeps its place in the text.
  #show(text, merged) {
    const before = this.#box.value;
    let same = 0;
    while (same < before.length && before[same] === text[same]) same += 1;
    const move = (place) => (place > same ? Math.max(same, place + text.length - before.length) : place);
    const [start, end] = [move(this.#box.selectionStart), move(this.#box.selectionEnd)];
    this.#box.value = text;
    this.#box.setSelectionRange(start, end);
    this.#merged ||= merged;
    this.flush();
  }

  #showState(state, excess) {
    if (this.#erasedElsewhere) return;
    const shown = `${state} ${excess} ${this.#kept} ${this.#merged}`;
    if (shown === this.#state) return;
    this.#state = shown;
    this.#typed ||= state === "saving";
    if (state === "saved" && !this.#typed) return this.#say("");
    this.#say(this.#wordsOf(state, excess), ["failing", "not-loaded", "too-long", "signed-out"].includes(state));
  }

  #wordsOf(state, excess) {
    const kept = this.#kept ? words.kept : words.notKept;
    switch (state) {
      case "saving":
        return words.saving;
      case "saved":
        return words.saved(timeOfDay.format(new Date())) + (this.#merged ? ` ${words.merged}` : "");
      case "failing":
        return `${words.notSaved} ${kept}`;
      case "too-long":
        return `${words.tooLong(excess)} ${kept}`;
      case "signed-out":
        return `${words.signedOut} ${kept}`;
      case "not-loaded":
        return words.notLoaded;
      default:
        return "";
    }
  }

  #say(text, bad = false) {
    this.#hint.textContent = text;
    this.#hint.classList.toggle("bad", bad);
  }

  // Another tab of this user has changed or erased the notes, or has heard from the server.
  #applyStorageEvent(event) {
    const change = this.#local.changeOf(event);
    if (change === "server") this.#learn();
    if (change !== "text" || event.newValue === this.#box.value) return;
    if (event.newValue === null) {
      this.#erasedElsewhere = true;
      this.#say(words.erasedElsewhere);
      return;
    }
    // Both tabs may have written at the same moment.
    const isConcurrent = !this.#erasedElsewhere && (event.oldValue ?? "") !== this.#box.value;
    this.#erasedElsewhere = false;
    this.#show(isConcurrent ? merge(event.oldValue, this.#box.value, event.newValue) : event.newValue, isConcurrent);
    this.#sync.changedElsewhere();
  }

  #learn() {
    const known = this.#local.server;
    // The user has emptied the text in the other tab, which is no erasure.
    if (known?.text === "" && this.#erasedElsewhere) {
      this.#erasedElsewhere = false;
      this.#box.value = "";
    }
    this.#sync.learn(known);
  }
}
