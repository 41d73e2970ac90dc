// The page: puts line, banner and notes together.

import { Banner } from "./banner.js";
import { Notes } from "./notes.js";
import { Line } from "./stream.js";
import { words } from "./words.js";

const byId = (id) => document.getElementById(id);
const session = byId("session");
const { user, base } = session.dataset;
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const notes = new Notes(byId("notes"), byId("saved"), user, base);
const banner = new Banner(leaveByItself, () => line.ask());
const line = new Line(base, hear, showState, () => banner.running);

byId("since").textContent = local.format(new Date(session.dataset.loginTime));
// Not there where a proxy in front names users.
byId("name-form")?.addEventListener("submit", giveName);
byId("sign-out").addEventListener("submit", leaveByHand);
byId("leave-now").addEventListener("submit", leaveByHand);
const notice = JSON.parse(session.dataset.drain);
if (notice) banner.show(notice);

function hear(name, data) {
  switch (name) {
    case "connected":
      // Another id: somebody signed in, or in again, in another tab. The question that follows tells who.
      if (data.session_id !== session.dataset.sessionId) line.ask();
      showDrain(data);
      break;
    case "session":
      if (data.user !== user) return reload();
      session.dataset.sessionId = data.session_id;
      showDrain(data);
      break;
    case "drain":
      banner.show(data);
      break;
    case "drain-cancelled":
      banner.hide(words.announce.cancelled);
      break;
    case "heartbeat":
      // A banner that is up while no countdown runs, or the other way round: ask what is true.
      if ("remaining_ms" in data !== banner.running) line.ask();
      else if (banner.running) banner.correct(data.remaining_ms);
      break;
    case "session-ended":
      end(data.reason);
      break;
  }
}

// An answer that is older than what the stream has said meanwhile comes without `drain`.
function showDrain(data) {
  if (data.drain) banner.show(data.drain);
  else if (data.drain === null) banner.hide(words.announce.cancelled);
  byId("pod").textContent = data.pod;
}

// The page belongs to somebody else now: their name, their notes.
function reload() {
  notes.flush();
  line.close();
  location.reload();
}

function showState(name) {
  const connection = byId("connection");
  connection.dataset.state = name;
  if (connection.textContent !== words.connection[name]) connection.textContent = words.connection[name];
}

// The session is over: say so, and leave the notes where they are.
function end(reason) {
  if (reason === "logout") notes.follow();
  notes.flush();
  banner.hide();
  byId("ended-message").textContent = words.ended[reason] ?? words.ended.gone;
  byId("ended").hidden = false;
  byId("name-form")?.setAttribute("hidden", "");
  byId("sign-out").hidden = true;
}

// The countdown is almost over: the server is told that this browser left by itself.
function leaveByItself() {
  notes.flush();
  line.close();
  location.assign(`${base}logout?reason=drain`);
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
    line.close();
    location.assign(base);
  } catch {
    byId("saved").textContent = words.cannotSignIn;
  }
}

// Nothing is erased before the server has said that the session is over.
async function leaveByHand(event) {
  event.preventDefault();
  notes.flush();
  line.close();
  try {
    const answer = await fetch(`${base}logout`, { method: "POST", signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    if (!byId("keep").checked) notes.erase();
    location.replace(`${base}logout`);
  } catch {
    byId("saved").textContent = words.cannotLeave;
    line.open();
  }
}
