// The export of the notes: made on the server, also while this page is reloaded. As soon as the file is done the page fetches it, so
// that it can be saved after the session has ended.

import * as work from "./work.js";
import { words } from "./words.js";

const texts = words.exporting;
const POLL_INTERVAL_MS = 1_000;
const REQUEST_TIMEOUT_MS = 10_000;

export class Export {
  #form;
  #url;
  #textOf;
  #progress;
  #hint;
  #link;
  #endWork = null;
  #following = false;

  // `section` holds the form and what becomes of it. `textOf()` gives the notes.
  constructor(section, base, textOf) {
    this.#form = section.querySelector("form");
    this.#progress = section.querySelector("progress");
    this.#hint = section.querySelector("[role=status]");
    this.#link = section.querySelector("a[download]");
    this.#url = `${base}exports`;
    this.#textOf = textOf;
    this.#form.querySelector("button").disabled = false;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#begin();
    });
    this.#follow();
  }

  async #begin() {
    const button = this.#form.querySelector("button");
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      const headers = { "content-type": "text/plain; charset=utf-8", accept: "application/json" };
      const parameters = new URLSearchParams(new FormData(this.#form));
      const answer = await this.#fetch(`?${parameters}`, { method: "POST", body: this.#textOf(), headers });
      // 409: one is running, which another tab has begun.
      if (!answer.ok && answer.status !== 409) {
        this.#end("bad", texts.refused[answer.status] ?? (await answer.json()).detail);
        return;
      }
      this.#link.hidden = true;
    } catch {
      this.#end("bad", texts.notBegun);
      return;
    }
    this.#follow(true);
  }

  // Shows the export of this session, if there is one, until it has ended. `begun`: there is one.
  async #follow(begun = false) {
    if (this.#following) return;
    this.#following = true;
    for (;;) {
      const answer = await this.#ask();
      if (answer === null) {
        if (!begun) return this.#end("", "");
        this.#say("bad", texts.unreachable);
      } else {
        const [current] = answer.exports ?? [];
        // A session without exports has moved: exports stay at the server that makes them.
        if (!current) return begun ? this.#end("bad", answer.exports ? texts.elsewhere : texts.ended) : this.#end("", "");
        begun = true;
        if (current.state === "cut") return this.#end("bad", texts.cut);
        if (current.state === "done" && (await this.#fetchFile(current))) return;
        if (current.state === "running") this.#showProgress(current);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
  }

  // Resolves to the exports of the session, to `{}` where there is no session, and to null without an answer.
  async #ask() {
    try {
      const answer = await this.#fetch("");
      if (answer.status === 401) return {};
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  #showProgress({ progress, seconds }) {
    this.#endWork ??= work.begin(texts.name);
    this.#progress.hidden = false;
    this.#progress.value = progress;
    this.#form.querySelector("button").setAttribute("aria-disabled", "true");
    this.#say("sending", texts.running(Math.ceil((1 - progress) * seconds)));
  }

  // Fetches the file, and offers it. Resolves to whether that worked.
  async #fetchFile({ export_id: id }) {
    try {
      const answer = await this.#fetch(`/${id}`);
      if (!answer.ok) return false;
      const file = await answer.blob();
      if (this.#link.href.startsWith("blob:")) URL.revokeObjectURL(this.#link.href);
      this.#link.href = URL.createObjectURL(file);
    } catch {
      return false;
    }
    this.#link.hidden = false;
    this.#end("done", texts.done);
    return true;
  }

  #fetch(path, options = {}) {
    const headers = { accept: "application/json" };
    return fetch(`${this.#url}${path}`, { headers, cache: "no-store", signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS), ...options });
  }

  #end(state, text) {
    this.#following = false;
    this.#endWork?.();
    this.#endWork = null;
    this.#progress.hidden = true;
    this.#form.querySelector("button").setAttribute("aria-disabled", "false");
    this.#say(state, text);
  }

  // Screen readers announce only what has changed.
  #say(state, text) {
    this.#hint.parentElement.dataset.state = state;
    if (this.#hint.textContent !== text) this.#hint.textContent = text;
  }
}
