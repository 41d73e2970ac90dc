// The page: notes, who one is, and what of the session's story is this page's own affair. Line, banner and countdown are
// the library's (`/assets/lastcall.js`), and are told by events.

import * as lastSession from "./last_session.js";
import { Notes } from "./notes.js";
import { words } from "./words.js";

const byId = (id) => document.getElementById(id);
const session = byId("session");
const { user, base } = session.dataset;
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const hear = (name, handle) => addEventListener(`lastcall:${name}`, (event) => handle(event.detail, event));

// Whether people are asked to leave: then nothing of theirs is erased by their leaving.
let asked = false;

const notes = new Notes(byId("notes"), byId("saved"), user, base);

const before = lastSession.next({ id: session.dataset.sessionId, pod: session.dataset.pod });
if (before) {
  byId("new-session").textContent = words.newSession(before.pod, session.dataset.pod);
  byId("new-session").hidden = false;
}

byId("since").textContent = local.format(new Date(session.dataset.loginTime));
// Not there where a proxy in front names users.
byId("name-form")?.addEventListener("submit", giveName);
byId("sign-out").addEventListener("submit", (event) => {
  // Without the library's script the form goes its own way.
  if (!globalThis.lastcall) return;
  event.preventDefault();
  lastcall.leave();
});

hear("state", ({ state }) => {
  // The page was drawn for a session that was over before the script could ask.
  if (state === "none") end("gone");
  const shown = state === "none" ? "over" : state;
  const connection = byId("connection");
  connection.dataset.state = shown;
  connection.textContent = words.connection[shown];
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
hear("leave-failed", () => (byId("saved").textContent = words.cannotLeave));
hear("left", ({ automatic }, event) => {
  event.preventDefault();
  // Nothing is erased before the server has said that the session is over, and nothing at all where people had to go.
  if (!asked && !byId("keep").checked) notes.erase();
  else notes.keep();
  if (!asked) lastSession.forget();
  location.replace(`${base}logout${automatic ? "?reason=drain" : ""}`);
});
hear("session-ended", ({ reason, automatic }) => end(automatic ? "drain" : reason));

// An address that nobody answers at would take the page away, and what is written on it.
byId("continue").addEventListener("click", async (event) => {
  event.preventDefault();
  notes.flush();
  try {
    await fetch(base, { method: "HEAD", redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(5_000) });
    location.assign(base);
  } catch {
    byId("ended-message").textContent = words.cannotContinue;
  }
});

// The page belongs to somebody else now: their name, their notes.
function reload() {
  notes.flush();
  lastSession.forget();
  location.reload();
}

// The session is over: say so, and leave the notes where they are.
function end(reason) {
  if (reason === "logout") notes.follow();
  notes.flush();
  byId("ended-message").textContent = words.ended[reason] ?? words.ended.gone;
  byId("ended").hidden = false;
  byId("name-form")?.setAttribute("hidden", "");
  byId("sign-out").hidden = true;
}

// A name without leaving the page, so that a server that is away costs a message and not the page.
async function giveName(event) {
  event.preventDefault();
  if (user === "anonymous") notes.hand(user, base);
  else notes.flush();
  const form = event.target;
  const request = { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual", signal: AbortSignal.timeout(10_000) };
  try {
    const answer = await fetch(form.action, request);
    if (answer.type !== "opaqueredirect") throw new Error(`status ${answer.status}`);
    lastSession.forget();
    location.assign(base);
  } catch {
    byId("saved").textContent = words.cannotSignIn;
  }
}
