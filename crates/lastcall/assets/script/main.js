// Puts line, notice and banner together, and signs out.

const LEAVE_WITHIN_MS = 10_000;

const banner = drawsItself ? noBanner : new Banner(() => leave());
const drain = new Drain(banner, () => leave({ automatic: true }), () => line.ask());
const line = new Line(hear, (state) => emit("state", { state }), () => drain.running);
const lateness = new Lateness(() => line.ask());

let sessionId = null;
let leaving = false;
// The session's end, where it was told while this page was leaving.
let endedMeanwhile = false;

function hear(name, data) {
  lateness.note(data, name === "drain" || name === "heartbeat");
  switch (name) {
    case "connected":
      // Another id: somebody signed in, or in again, in another tab. The question that follows tells who.
      if (sessionId !== null && data.session_id !== sessionId) line.ask();
      sessionId = data.session_id;
      emit("connected", data);
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
      if ("remaining_ms" in data !== drain.running) line.ask();
      else if (drain.running) drain.correct(data.remaining_ms);
      break;
    case "session-ended":
      endedMeanwhile = true;
      if (!leaving) end(data);
      break;
  }
}

// An answer that is older than what the stream has said meanwhile comes without `drain`.
function follow(data) {
  if (data.drain) drain.show(data.drain);
  else if (data.drain === null) drain.cancel({ server_time: data.server_time });
}

function end(data) {
  const automatic = data.reason === "logout" && (data.automatic ?? drain.isEnding);
  drain.stop();
  banner.over(automatic ? "drain" : data.reason);
  emit("session-ended", { ...data, automatic });
}

// Signs out without leaving the page. Gives whether the server has said that the session is over.
async function leave({ automatic = false } = {}) {
  if (leaving || !emit("leaving", { automatic }, true)) return false;
  leaving = true;
  banner.trouble("");
  const way = `${base}logout${automatic ? "?reason=drain" : ""}`;
  try {
    const answer = await fetch(way, { method: "POST", keepalive: true, signal: AbortSignal.timeout(LEAVE_WITHIN_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
  } catch {
    if (!endedMeanwhile) {
      leaving = false;
      banner.trouble(words.failed);
      emit("leave-failed", { automatic });
      return false;
    }
  }
  line.left(automatic);
  drain.stop();
  // A page that goes somewhere else now need not be told so.
  if (emit("left", { automatic }, true)) banner.over(automatic ? "drain" : "left");
  return true;
}

globalThis.lastcall = Object.freeze({ base, leave, ask: () => line.ask() });

// What the server has written into the page's own banner is known before any stream is open.
const written = JSON.parse(ownBanner?.dataset.drain ?? choices.drain ?? "null");
if (written) drain.show(written);
line.open();
