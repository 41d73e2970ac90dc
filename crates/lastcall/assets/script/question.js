// The question that is asked where no stream tells, and where what it told is in doubt.

const ANSWER_WITHIN_MS = 4_000;
const ASK_AGAIN_MS = 1_500;
// So long a clock is watched to see whether it runs.
const CLOCK_RUNS_MS = 300;
// A service worker, or a cache that ignores `no-store`, has answered.
const FROM_CACHE = Symbol("from a cache");

const isOlder = (answer, newest) =>
  Boolean(newest && answer?.server_time) && Date.parse(answer.server_time) < Date.parse(newest);

// Gives the session, `null` where there is none, `FROM_CACHE` where the answer is from before, and `undefined` where nobody
// answers. `isOld(answer)`: its `server_time` is before the last event's. No session must be said twice: in the moment of a
// sign-in in another tab the new cookie may still be on its way.
async function askForSession(isOld, doubtful = true) {
  const first = await fetchSession();
  const answer = isOld(first) ? await provedLive(first, isOld) : first;
  if (!answer?.none) return answer;
  if (!doubtful) return null;
  await sleep(ASK_AGAIN_MS);
  return askForSession(isOld, false);
}

// An answer that is older than the last event is a cache's, or of a pod whose clock is behind. Asked again, the cache says the
// same time; the clock has moved on.
async function provedLive(first, isOld) {
  await sleep(CLOCK_RUNS_MS);
  const second = await fetchSession();
  const moved = Date.parse(second?.server_time) - Date.parse(first.server_time);
  return !isOld(second) || moved >= CLOCK_RUNS_MS / 2 ? second : FROM_CACHE;
}

async function fetchSession() {
  try {
    const options = { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS), headers: { accept: "application/json" } };
    const answer = await fetch(`${routes}session`, options);
    if (answer.status === 401) return { none: true, server_time: (await answer.json().catch(() => null))?.server_time };
    const session = answer.ok ? await answer.json() : null;
    // A captive portal has pages for everything.
    return session?.session_id ? session : undefined;
  } catch {
    return undefined;
  }
}
