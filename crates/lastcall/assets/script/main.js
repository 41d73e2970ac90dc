// Puts connection, notice and banner together, and signs out.

const LEAVE_WITHIN_MS = 10_000;
// A countdown does not wait: a try that fails leaves time for another.
const TRY_WITHIN_MS = { least: 500, most: 2_000 };
const TRY_AGAIN_MS = 300;

const banner = drawsItself ? noBanner : new Banner(() => leave());
const drain = new Drain(banner, () => leave({ automatic: true }), timeUp, () => connection.ask());
// What the server has written into the page's own banner is known before any stream is open.
const written = isOfNow() ? parsed(document.getElementById("drain-banner")?.dataset.drain ?? choices.drain) : null;
const connection = new Connection(hear, (state) => emit("state", { state }), () => drain.running, written !== null || choices.session !== undefined);
const lateness = new Lateness(() => connection.ask());

let sessionId = null;
// A countdown that has so little left and is heard of no more has come to its end.
const OVER_MS = 2_000;
// A server that says nothing for so long after the end, asked or not, has stopped responding; one that is asked again after
// each of the shorter times.
const SILENT_MS = { end: 4_000, ask: 1_000 };
// Whether the page says that the server has stopped responding.
let stopped = false;
// The server that the session was on, as it said last.
let pod = null;
let leaving = false;
// The session's end, where it was told while this page was leaving.
let endedMeanwhile = null;

function hear(name, data) {
  if (stopped) {
    stopped = false;
    banner.answered();
  }
  lateness.note(data, name === "drain" || name === "heartbeat");
  switch (name) {
    case "connected":
      // Another id: somebody signed in, or in again, in another tab. The question that follows tells who.
      if (sessionId !== null && data.session_id !== sessionId) connection.ask();
      sessionId = data.session_id;
      emit("connected", data);
      // The server answers again: what a sign-out was refused for is over.
      banner.trouble("");
      follow(data);
      break;
    case "session":
      sessionId = data.session_id;
      emit("session", data);
      follow(data);
      break;
    case "drain":
      drain.show(data);
      break;
    case "drain-cancelled":
      drain.cancel(data);
      break;
    case "heartbeat":
      // A banner that is up while no countdown runs, or the other way round: ask what is true.
      if ("remaining_ms" in data !== drain.running) connection.ask();
      else if (drain.running) drain.correct(data.remaining_ms);
      break;
    case "session-ended":
      endedMeanwhile = data;
      if (!leaving) end(data);
      break;
  }
}

// An answer that is older than what the stream has said meanwhile comes without `drain`.
function follow(data) {
  const moved = pod !== null && data.pod !== undefined && data.pod !== pod;
  pod = data.pod ?? pod;
  if (data.drain) drain.show(data.drain);
  else if (data.drain !== null) return;
  // Written into the page once, or saved in it.
  else if (!drain.running) banner.settle();
  // On another server, or at the end, nothing was taken back: the countdown is of no importance any more.
  else if (moved || drain.left <= OVER_MS) drain.stop();
  else drain.cancel({ server_time: data.server_time });
}

// The countdown is over. What happened the server says in a moment: by an event, or when it is asked.
async function timeUp() {
  const since = performance.now();
  const waits = () => drain.running && drain.left === 0 && !connection.isOver;
  while (waits()) {
    const answer = await connection.ask();
    if (answer !== "server" && performance.now() - since >= SILENT_MS.end && waits()) return stop();
    await sleep(answer === "server" ? OVER_MS : SILENT_MS.ask);
  }
}

function stop() {
  stopped = true;
  drain.stop();
  banner.stopped();
  emit("stopped", {});
}

function end(data) {
  const automatic = data.reason === "logout" && (data.automatic ?? drain.isEnding);
  drain.stop();
  banner.over(automatic ? "drain" : data.reason);
  emit("session-ended", { ...data, automatic });
}

// Signs out without leaving the page. Gives whether the server has said that the session is over.
async function leave({ automatic = false } = {}) {
  if (leaving) return false;
  leaving = true;
  banner.busy(true);
  say(words.leaving);
  const counts = automatic && drain.running;
  const agreed = await farewell.agreed(automatic, counts ? drain.left / 2 : SAVE_WITHIN_MS);
  // Taken back while a page was still saving: nobody has to go.
  if (!agreed || (counts && !drain.running)) return stay();
  banner.trouble("");
  if (!(await signOut(automatic))) {
    stay();
    // At the end of a countdown the event that ends the session says what became of it.
    if (!automatic) banner.trouble(words.failed);
    emit("leave-failed", { automatic });
    return false;
  }
  // The server was first.
  if (endedMeanwhile && endedMeanwhile.reason !== "logout") return stay();
  connection.left(automatic);
  banner.busy(false);
  drain.stop();
  // A page that goes somewhere else now need not be told so.
  if (emit("left", { automatic }, true)) banner.over(automatic ? "drain" : "left");
  return true;
}

function stay() {
  leaving = false;
  banner.busy(false);
  farewell.forget();
  if (endedMeanwhile) end(endedMeanwhile);
  return false;
}

// By hand in one try; by the countdown in as many as there is time for. Gives whether the session is over.
async function signOut(automatic) {
  const way = `${routes}logout${automatic ? "?reason=drain" : ""}`;
  const again = () => automatic && drain.left > 0;
  for (;;) {
    const { least, most } = TRY_WITHIN_MS;
    const within = again() ? Math.min(most, Math.max(least, drain.left / 2)) : LEAVE_WITHIN_MS;
    try {
      const answer = await fetch(way, { method: "POST", keepalive: true, signal: AbortSignal.timeout(within) });
      if (answer.ok) return true;
    } catch {
      // Nobody answered, or not in time.
    }
    if (endedMeanwhile) return true;
    if (!again()) return false;
    await sleep(TRY_AGAIN_MS);
    if (!again()) return endedMeanwhile !== null;
  }
}

// Whether the page was written by the server now, and is not one that was saved, or comes out of a cache on the way back.
function isOfNow() {
  const [navigation] = performance.getEntriesByType("navigation");
  return location.protocol !== "file:" && navigation?.type !== "back_forward";
}

// What the page says that it was given; nothing, where it makes no sense.
function parsed(notice) {
  try {
    return JSON.parse(notice || "null");
  } catch {
    return null;
  }
}

globalThis.lastcall = Object.freeze({ base, leave, ask: () => connection.ask() });

if (written) drain.show(written, false);
else if (location.protocol === "file:" || document.title.match(PREFIXED)) banner.settle();
connection.open();
