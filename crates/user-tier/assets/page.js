// The page: notes, who one is, and what of the session's story is this page's own affair. Connection, banner and countdown are
// the library's (`/assets/lastcall.js`), and are told by events. At the end of the session the page stays as it is.

import * as lastSession from "./last_session.js";
import { Notes, otherUsers, rememberedName, rememberName } from "./notes.js";
import { formatOf, words } from "./words.js";

const byId = (id) => document.getElementById(id);
const session = byId("session");
const { user, base, routes } = session.dataset;
const local = formatOf({ dateStyle: "medium", timeStyle: "short" });
const hear = (name, handle) => addEventListener(`lastcall:${name}`, (event) => handle(event.detail, event));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const CONTINUE_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 1_000;
// Between two answers that the server itself gives, its clock runs on.
const CLOCK_RUNS_MS = 50;

// Whether people are asked to leave: then nothing of theirs is erased by their leaving.
let asked = false;

// The library says that text is saved only where it is.
const tag = document.querySelector("script[data-session]");
const notes = new Notes(byId("notes"), byId("saved"), user, base, (saves) => tag?.toggleAttribute("data-saves", saves));

const before = lastSession.next({ id: session.dataset.sessionId, pod: session.dataset.pod });
if (before) {
  byId("new-session").textContent = words.newSession(before.pod, session.dataset.pod, user === "anonymous" && rememberedName());
  byId("new-session").hidden = false;
}

byId("since").textContent = local.format(new Date(session.dataset.loginTime));
// Not there where a proxy in front names users.
const nameForm = byId("name-form");
if (nameForm) offerNames();
byId("sign-out").addEventListener("submit", (event) => {
  // Without the library's script the form goes its own way.
  if (!globalThis.lastcall) return;
  event.preventDefault();
  lastcall.leave();
});

hear("state", ({ state }) => showConnection(state));
hear("stopped", () => {
  showConnection("stopped");
  byId("continue").textContent = words.reload;
});
hear("connected", ({ session_id: id, pod }) => {
  byId("pod").textContent = pod;
  // The page was drawn for another session: somebody has signed in meanwhile, in another tab.
  if (id !== session.dataset.sessionId) lastcall.ask();
});
hear("session", (now) => {
  if (now.user !== user) return reload();
  session.dataset.sessionId = now.session_id;
  byId("pod").textContent = now.pod;
  lastSession.next({ id: now.session_id, pod: now.pod });
});
hear("drain", () => (asked = true));
hear("drain-cancelled", () => (asked = false));
hear("leaving", () => notes.flush());
hear("leave-failed", ({ automatic }) => automatic || (byId("saved").textContent = words.cannotLeave));
hear("left", ({ automatic }, event) => {
  if (automatic) return end("drain");
  event.preventDefault();
  // Nothing is erased before the server has said that the session is over, and nothing at all where people had to go.
  if (asked || byId("keep").checked) notes.keep();
  else notes.erase();
  if (!asked) lastSession.forget();
  rememberName(asked ? user : "");
  location.replace(`${routes}logout`);
});
hear("session-ended", ({ reason }) => end(reason));

// An address that nobody answers at would take the page away, and what is written on it. So would one that answers while
// somebody writes on. After a time without an answer, the next click opens the page whatever happens: a proxy may want the user to
// sign in again.
let waitedInVain = false;
byId("continue").addEventListener("click", async (event) => {
  notes.flush();
  if (waitedInVain) return;
  event.preventDefault();
  const hint = byId("ended-hint");
  const until = performance.now() + CONTINUE_WITHIN_MS;
  const written = new AbortController();
  byId("notes").addEventListener("input", () => written.abort(), { once: true });
  while (!written.signal.aborted && performance.now() < until) {
    if (await admits()) return location.assign(base);
    hint.textContent = words.waiting;
    await sleep(ASK_EVERY_MS);
  }
  waitedInVain = !written.signal.aborted;
  hint.textContent = written.signal.aborted ? "" : words.cannotContinue;
});

// Whether the server, and nobody in its place, would serve the page.
async function admits() {
  try {
    const first = await sessionAnswer();
    if (!first.admits) return false;
    await sleep(CLOCK_RUNS_MS);
    const second = await sessionAnswer();
    // A service worker, or a cache that ignores `no-store`, says the same time again.
    return second.admits && second.time !== first.time;
  } catch {
    return false;
  }
}

async function sessionAnswer() {
  const request = { headers: { accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(5_000) };
  const answer = await (await fetch(`${routes}session?t=${Math.random().toString(36).slice(2)}`, request)).json();
  return { admits: answer.session_id !== undefined || answer.admits_newcomers === true, time: answer.server_time };
}

function showConnection(state) {
  const connection = byId("connection");
  connection.dataset.state = state;
  connection.textContent = words.connection[state];
  if (state === "live") takeBack();
}

// Takes back what was said of a server that did not answer.
function takeBack() {
  const said = byId("saved");
  if ([words.cannotLeave, words.cannotSignIn].includes(said.textContent)) said.textContent = "";
}

// The page belongs to somebody else now: their name, their notes.
function reload() {
  notes.flush();
  lastSession.forget();
  location.reload();
}

// The session is over: the library says so. The notes stay where they are, and so does who writes them.
function end(reason) {
  takeBack();
  if (reason === "logout") notes.follow();
  else rememberName(user);
  notes.flush();
  byId("continue").textContent = words.goOn;
  for (const form of [nameForm, byId("sign-out")]) if (form && !form.contains(document.activeElement)) form.hidden = true;
}

// The name of before, and the notes of others that are saved here: whoever signed in under another name finds them.
function offerNames() {
  const name = byId("name");
  if (user === "anonymous") name.value ||= rememberedName();
  name.addEventListener("focus", () => name.select());
  nameForm.addEventListener("submit", giveName);
  addEventListener("pageshow", () => (nameForm.querySelector("button").disabled = false));
  if (user !== "anonymous" && byId("notes").value) return;
  for (const other of otherUsers(user)) {
    const button = document.createElement("button");
    button.className = "quiet";
    button.textContent = words.open(other);
    button.addEventListener("click", () => {
      name.value = other;
      nameForm.requestSubmit();
    });
    byId("others").append(button);
    byId("others").hidden = false;
  }
}

// A name without leaving the page, so that a server that is away costs a message and not the page. One at a time: a second
// one would carry a cookie that the first has replaced.
async function giveName(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  if (user === "anonymous") notes.hand(user, base);
  else notes.flush();
  const request = { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual", signal: AbortSignal.timeout(10_000) };
  try {
    const answer = await fetch(form.action, request);
    if (answer.type !== "opaqueredirect") throw new Error(`status ${answer.status}`);
    rememberName("");
    lastSession.forget();
    location.assign(base);
  } catch {
    button.disabled = false;
    byId("saved").textContent = words.cannotSignIn;
  }
}
