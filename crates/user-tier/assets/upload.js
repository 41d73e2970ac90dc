// Uploads with progress, one after the other. Each row says truthfully how its upload ended.

import * as work from "./work.js";
import { sizeOf, words } from "./words.js";

const texts = words.upload;
// Without progress for this long, the row says that the upload has stalled.
const STALLED_AFTER_MS = 10_000;
const CHECK_INTERVAL_MS = 1_000;
const SESSION_TIMEOUT_MS = 5_000;

export class Uploads {
  #list;
  #rows = [];
  #options;

  // `list` shows the uploads. `base` and `routes` are the paths of the page and of the library's own routes.
  constructor(list, input, base, routes) {
    this.#list = list;
    this.#options = { url: `${base}uploads`, session: `${routes}session`, maxBytes: Number(input.dataset.maxBytes) };
    // Without this script nothing could be sent.
    input.disabled = false;
    input.addEventListener("change", () => {
      for (const file of input.files) this.#add(file);
      // The same file may be chosen again.
      input.value = "";
    });
    // Files that were chosen before this script ran.
    for (const file of input.files) this.#add(file);
  }

  #add(file) {
    const row = new Row(file, this.#options, () => this.#next());
    this.#rows.push(row);
    this.#list.prepend(row.element);
    this.#list.hidden = false;
    this.#next();
  }

  #next() {
    if (!this.#rows.some((row) => row.isSending)) this.#rows.find((row) => row.isWaiting)?.send();
  }
}

class Row {
  #file;
  #options;
  #onChange;
  #progress = document.createElement("progress");
  #amount = document.createElement("span");
  // Announced to screen readers: the outcome, and not every percent.
  #outcome = document.createElement("p");
  #button = document.createElement("button");
  #request = null;
  #endWork = () => {};
  #progressAt = 0;
  #check = null;

  element = document.createElement("li");
  isWaiting = true;

  constructor(file, options, onChange) {
    this.#file = file;
    this.#options = options;
    this.#onChange = onChange;
    const name = document.createElement("bdi");
    name.textContent = file.name;
    this.#progress.setAttribute("aria-label", texts.progress(file.name));
    this.#progress.max = Math.max(1, file.size);
    this.#progress.value = 0;
    this.#amount.className = "amount";
    this.#outcome.setAttribute("role", "status");
    this.#button.type = "button";
    this.#button.className = "quiet";
    this.#button.addEventListener("click", () => this.#toggle());
    this.element.append(name, this.#progress, this.#amount, this.#outcome, this.#button);
    this.#setButton(texts.cancel);
    this.#amount.textContent = sizeOf(file.size);
    this.#say(texts.waiting);
    if (file.size > options.maxBytes) this.#end("bad", texts.tooLarge(sizeOf(options.maxBytes)), false);
  }

  get isSending() {
    return this.#request !== null;
  }

  send() {
    const request = new XMLHttpRequest();
    this.#request = request;
    this.isWaiting = false;
    this.element.dataset.state = "sending";
    this.#progress.hidden = false;
    this.#endWork = work.begin(texts.name);
    this.#note(0);
    this.#say("");
    this.#setButton(texts.cancel);
    request.upload.onprogress = ({ loaded }) => this.#note(loaded);
    request.onload = () => this.#answered(request);
    request.onerror = () => this.#broke(request);
    request.open("POST", this.#options.url);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("accept", "application/json");
    request.send(this.#file);
    this.#check = setInterval(() => this.#checkProgress(), CHECK_INTERVAL_MS);
  }

  #note(sent) {
    const { size } = this.#file;
    this.#progressAt = performance.now();
    this.#progress.value = size ? Math.min(sent, size) : 1;
    this.#amount.textContent = texts.sent(sizeOf(Math.min(sent, size)), sizeOf(size));
    if (this.element.dataset.state === "stalled") {
      this.element.dataset.state = "sending";
      this.#say("");
      this.#setButton(texts.cancel);
    }
  }

  #checkProgress() {
    if (performance.now() - this.#progressAt < STALLED_AFTER_MS || this.element.dataset.state === "stalled") return;
    this.element.dataset.state = "stalled";
    this.#say(this.#progress.value < this.#progress.max ? texts.stalled : texts.unanswered);
    this.#setButton(texts.again);
  }

  #toggle() {
    const { state } = this.element.dataset;
    const repeats = state === "stalled" || state === "bad";
    this.#abort();
    if (!repeats) return this.#end("bad", texts.cancelled, true);
    this.isWaiting = true;
    this.element.dataset.state = "waiting";
    this.#say(texts.waiting);
    this.#setButton(texts.cancel);
    this.#onChange();
  }

  #abort() {
    const request = this.#request;
    this.#release();
    request?.abort();
  }

  // The request is over, however it ended.
  #release() {
    clearInterval(this.#check);
    this.#endWork();
    this.#endWork = () => {};
    this.#request = null;
  }

  #answered(request) {
    const answer = parse(request.responseText);
    this.#release();
    if (request.status === 200 && typeof answer?.bytes === "number") {
      if (answer.bytes !== this.#file.size) return this.#end("bad", texts.different(sizeOf(answer.bytes)), true);
      const digest = document.createElement("code");
      digest.textContent = answer.sha256;
      return this.#end("done", [texts.finished(sizeOf(answer.bytes)), " ", texts.digest, " ", digest], false);
    }
    if (request.status === 503 && answer?.title === "Upload cut off") return this.#end("bad", texts.cutOff, true);
    const text = texts.refused[request.status] ?? answer?.detail ?? texts.failed(request.status);
    this.#end("bad", text, request.status !== 413);
  }

  // The connection broke. Where the server cut it off, its answer may have been lost with the connection.
  async #broke(request) {
    clearInterval(this.#check);
    this.#say(texts.checking);
    const reason = (await this.#fileChanged()) ? "changed" : await this.#askSession();
    if (this.#request !== request) return;
    this.#release();
    this.#end("bad", texts.broken[reason], reason !== "changed");
  }

  // The file on disk was removed or changed after it was chosen.
  async #fileChanged() {
    try {
      await this.#file.slice(0, 1).arrayBuffer();
      return false;
    } catch {
      return true;
    }
  }

  async #askSession() {
    try {
      const request = { headers: { accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(SESSION_TIMEOUT_MS) };
      const { status } = await fetch(this.#options.session, request);
      return status === 401 ? "ended" : "connection";
    } catch {
      return "network";
    }
  }

  #end(state, text, canRepeat) {
    this.isWaiting = false;
    this.element.dataset.state = state;
    this.#progress.hidden = true;
    this.#amount.textContent = sizeOf(this.#file.size);
    this.#say(text);
    this.#setButton(canRepeat ? texts.again : "");
    this.#onChange();
  }

  #say(text) {
    this.#outcome.replaceChildren(...[text].flat());
  }

  // The button keeps the focus while its text changes. Without a text there is none.
  #setButton(text) {
    this.#button.textContent = text;
    this.#button.hidden = !text;
    this.#button.setAttribute("aria-label", `${text}: ${this.#file.name}`);
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
