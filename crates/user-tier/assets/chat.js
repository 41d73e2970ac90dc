// The chat: a WebSocket of the app's own. It reopens by itself, says whether it is connected and which users it reaches, and keeps text
// that was typed and not delivered yet.

import { words } from "./words.js";

const RETRY_MS = { first: 500, cap: 15_000 };
// A server that stops says so: another one answers at once. Until then the page does not say that the chat is away.
const RESTART_MS = 500;
const QUIET_MS = 3_000;
// A WebSocket that was connected for this long starts the back-off anew.
const STABLE_MS = 1_000;
const SERVICE_RESTART = 1012;
// The server expects its browser to send or answer within a few heartbeats; this is for a connection that was never made.
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_SHOWN = 100;
const DRAFT = "lastcall.chat-draft";

export class Chat {
  #url;
  #log;
  #form;
  #box;
  #status;
  #socket = null;
  #timer = 0;
  #quiet = 0;
  #failures = 0;
  #connectedAt = Infinity;
  // The text that was sent and has not come back yet.
  #pending = null;
  #sentOn = null;
  #ids = new Set();
  #over = false;

  // `base` is the path of the page, which is the tab's own with `SESSION_SCOPE=tab`.
  constructor(section, base) {
    this.#url = new URL(`${base}chat`, location.href);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    this.#log = section.querySelector("ol");
    this.#form = section.querySelector("form");
    this.#box = section.querySelector("input");
    this.#status = section.querySelector("[role=status]");
    this.#box.value ||= draft.read();
    this.#box.addEventListener("input", () => draft.write(this.#box.value));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    addEventListener("pagehide", () => this.#close());
    addEventListener("pageshow", (event) => event.persisted && this.#open());
    addEventListener("online", () => this.#reopen(0));
    addEventListener("lastcall:session-ended", () => this.#end());
    addEventListener("lastcall:left", () => this.#end());
    this.#open();
  }

  #open() {
    if (this.#over || this.#socket) return;
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    const connecting = setTimeout(() => socket.close(), CONNECT_TIMEOUT_MS);
    socket.addEventListener("open", () => clearTimeout(connecting));
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => {
      clearTimeout(connecting);
      if (socket !== this.#socket) return;
      this.#socket = null;
      if (performance.now() - this.#connectedAt >= STABLE_MS) this.#failures = 0;
      this.#connectedAt = Infinity;
      const restarts = code === SERVICE_RESTART;
      if (restarts) this.#quiet ||= setTimeout(() => this.#say("lost"), QUIET_MS);
      else if (!this.#quiet) this.#say("lost");
      this.#reopen(this.#pause(restarts && this.#failures === 0));
    });
  }

  #pause(restarts) {
    const full = Math.min(RETRY_MS.cap, RETRY_MS.first * 2 ** this.#failures++);
    return restarts ? Math.random() * RESTART_MS : full * (0.5 + Math.random() / 2);
  }

  #reopen(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), pause);
  }

  #close() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#timer);
    socket?.close();
    if (!this.#over) this.#say("lost");
  }

  #end() {
    this.#over = true;
    this.#close();
    for (const control of this.#form.elements) control.disabled = true;
    this.#say("over");
  }

  #receive(message) {
    if (message.type === "reach") {
      this.#connectedAt = performance.now();
      this.#say(message.reach);
      // What was sent before may be lost. Where it has come back among the last texts, it is not pending any more; others recognize it by
      // its id.
      if (this.#sentOn !== this.#socket) this.#transmit();
    } else if (message.type === "said") {
      this.#show(message);
    } else if (message.type === "refused" && message.id === this.#pending?.id) {
      this.#pending = null;
      this.#say(message.reason);
    } else if (message.type === "missed") {
      this.#add(words.chat.missed);
    }
  }

  // Shows a text once, though it comes again after the WebSocket was opened again.
  #show({ id, user, text }) {
    if (id === this.#pending?.id) {
      // The user may have typed on meanwhile.
      if (this.#box.value === this.#pending.text) this.#box.value = "";
      draft.write(this.#box.value);
      this.#pending = null;
    }
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    const name = document.createElement("b");
    const bdi = document.createElement("bdi");
    bdi.textContent = user;
    name.append(bdi);
    this.#add(name, ` ${text}`);
  }

  #add(...content) {
    const atEnd = this.#log.scrollTop + this.#log.clientHeight >= this.#log.scrollHeight - 4;
    const item = document.createElement("li");
    item.append(...content);
    this.#log.append(item);
    while (this.#log.children.length > MAX_SHOWN) this.#log.firstChild.remove();
    if (atEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #send() {
    const text = this.#box.value;
    if (!text.trim() || this.#pending || this.#over) return;
    this.#sentOn = null;
    this.#pending = { id: `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`, text };
    if (this.#socket?.readyState === WebSocket.OPEN) this.#transmit();
    // Sent once the server says which users the text reaches.
    else this.#say("notSent");
  }

  #transmit() {
    // Edited while there was no connection.
    if (this.#pending && !this.#sentOn && this.#box.value.trim()) this.#pending.text = this.#box.value;
    this.#sentOn = this.#socket;
    if (this.#pending) this.#socket.send(JSON.stringify(this.#pending));
  }

  #say(state) {
    clearTimeout(this.#quiet);
    this.#quiet = 0;
    this.#status.dataset.state = state;
    this.#status.textContent = words.chat[state];
  }
}

// What was typed and not sent, in this tab.
const draft = {
  read() {
    try {
      return sessionStorage.getItem(DRAFT) ?? "";
    } catch {
      return "";
    }
  },
  write(text) {
    try {
      sessionStorage.setItem(DRAFT, text);
    } catch {
      // It stays in the box.
    }
  },
};
