// The sample page: notes, the user's name, and the state of the session. The library (`/assets/lastcall.js`) brings connection, banner
// and countdown, and reports by events. At the end of the session the page stays as it is.

import { Chat } from "./chat.js";
import { Export } from "./export.js";
import * as lastSession from "./last_session.js";
import { otherUsers, rememberedName, rememberName } from "./local_notes.js";
import { Notes } from "./notes.js";
import { Uploads } from "./upload.js";
import { timeFormat, words } from "./words.js";

const byId = (id) => document.getElementById(id);
const session = byId("session");
const { user, base, routes } = session.dataset;
const dateTime = timeFormat({ dateStyle: "medium", timeStyle: "short" });
const on = (name, handle) => addEventListener(`lastcall:${name}`, (event) => handle(event.detail, event));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const CONTINUE_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 1_000;
// How long the move to another pod waits for notes that cannot be saved now. They are saved from there as well.
const SAVE_BEFORE_MOVE_MS = 4_000;
// Between two answers of the server itself, its clock advances. A cached answer repeats its time.
const CLOCK_CHECK_MS = 50;

// Whether a notice runs. A logout during a notice erases no notes.
let notified = false;

// The library tells users that their text is saved only while this attribute is set.
const tag = document.querySelector("script[data-session]");
const notes = new Notes(byId("notes"), byId("saved"), user, base, (kept) => tag?.toggleAttribute("data-saves", kept));

new Chat(byId("chat"), base);
new Uploads(byId("uploads"), byId("upload-file"), base, routes);
new Export(byId("export"), base, () => byId("notes").value);

const previous = lastSession.replace({ id: session.dataset.sessionId, pod: session.dataset.pod });
if (previous) {
  byId("new-session").textContent = words.newSession(previous.pod, session.dataset.pod, user === "anonymous" && rememberedName());
  byId("new-session").hidden = false;
}

byId("since").textContent = dateTime.format(new Date(session.dataset.loginTime));
// Missing where a proxy names the users.
const nameForm = byId("name-form");
if (nameForm) offerNames();
byId("sign-out").addEventListener("submit", (event) => {
  // Without the library's script the form is submitted as usual.
  if (!globalThis.lastcall) return;
  event.preventDefault();
  lastcall.leave();
});

on("state", ({ state }) => showConnection(state));
on("stopped", () => {
  showConnection("stopped");
  byId("continue").textContent = words.reload;
});
on("connected", ({ session_id: id, pod }) => {
  byId("pod").textContent = pod;
  // The page was rendered for another session: a user has signed in in another tab.
  if (id !== session.dataset.sessionId) lastcall.ask();
});
on("session", (current) => {
  if (current.user !== user) return reload();
  session.dataset.sessionId = current.session_id;
  byId("pod").textContent = current.pod;
  lastSession.replace({ id: current.session_id, pod: current.pod });
});
on("drain", () => (notified = true));
on("drain-cancelled", () => (notified = false));
// The logout waits for the server to have the text, for a while; this browser keeps it in any case.
on("leaving", (detail, event) => notes.isSaved ? notes.flush() : event.waitUntil(notes.settle()));
// The session is about to move to another pod, and the page stays as it is.
on("moving", (detail, event) => notes.isSaved || event.waitUntil(notes.settle(SAVE_BEFORE_MOVE_MS)));
on("moved", ({ pod }) => lastSession.replace({ id: session.dataset.sessionId, pod }));
on("leave-failed", ({ automatic }) => automatic || (byId("saved").textContent = words.cannotLeave));
on("left", ({ automatic }, event) => {
  if (automatic) return end("drain");
  event.preventDefault();
  // Notes are erased only after the server has confirmed the logout, and never during a notice or while only this browser has them.
  if (notified || byId("keep").checked || !notes.isSaved) notes.keep();
  else notes.erase();
  if (!notified) lastSession.forget();
  rememberName(notified ? user : "");
  location.replace(`${routes}logout`);
});
on("session-ended", ({ reason }) => end(reason));

// Opens the first page only once a server answers, since an error page would replace the notes on screen, and not while the user is
// typing. After a timeout the next click opens it in any case: a proxy may require the user to sign in again.
let timedOut = false;
byId("continue").addEventListener("click", async (event) => {
  notes.flush();
  if (timedOut) return;
  event.preventDefault();
  const hint = byId("ended-hint");
  const deadline = performance.now() + CONTINUE_TIMEOUT_MS;
  const typing = new AbortController();
  byId("notes").addEventListener("input", () => typing.abort(), { once: true });
  while (!typing.signal.aborted && performance.now() < deadline) {
    if (await admits()) return location.assign(base);
    hint.textContent = words.waiting;
    await sleep(POLL_INTERVAL_MS);
  }
  timedOut = !typing.signal.aborted;
  hint.textContent = typing.signal.aborted ? "" : words.cannotContinue;
});

// Whether the server itself, and not a cache or a proxy, would serve the page.
async function admits() {
  try {
    const first = await sessionAnswer();
    if (!first.admits) return false;
    await sleep(CLOCK_CHECK_MS);
    const second = await sessionAnswer();
    // A service worker, or a cache that ignores `no-store`, repeats its time.
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
  if (state === "live") clearProblem();
}

// Removes the message that the server does not answer.
function clearProblem() {
  const hint = byId("saved");
  if ([words.cannotLeave, words.cannotSignIn].includes(hint.textContent)) hint.textContent = "";
}

// Loads the page of the user who has signed in.
function reload() {
  notes.flush();
  lastSession.forget();
  location.reload();
}

// The session has ended, which the library reports. The notes stay on screen.
function end(reason) {
  clearProblem();
  if (reason === "logout") notes.applyErasure();
  else rememberName(user);
  notes.stop();
  byId("continue").textContent = words.goOn;
  for (const form of [nameForm, byId("sign-out")]) if (form && !form.contains(document.activeElement)) form.hidden = true;
}

// Offers the remembered name, and the names under which notes are stored in this browser.
function offerNames() {
  const name = byId("name");
  if (user === "anonymous") name.value ||= rememberedName();
  name.addEventListener("focus", () => name.select());
  nameForm.addEventListener("submit", signIn);
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

// Signs in without leaving the page, so that a server that does not answer does not replace the page. Only one request runs at a time:
// a second one would carry a cookie that the first has replaced.
async function signIn(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  if (user === "anonymous") notes.handOver(base);
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
