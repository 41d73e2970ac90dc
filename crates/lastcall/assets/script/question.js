// The question that is asked where no stream tells, and where what it told is in doubt.

const ANSWER_WITHIN_MS = 4_000;
const ASK_AGAIN_MS = 1_500;

// Gives the session, `null` where there is none, and `undefined` where nobody answers. No session must be said twice: in
// the moment of a sign-in in another tab the new cookie may still be on its way.
async function askForSession(doubtful = true) {
  try {
    const options = { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS), headers: { accept: "application/json" } };
    const answer = await fetch(`${base}session`, options);
    if (answer.status === 401 && doubtful) {
      await sleep(ASK_AGAIN_MS);
      return askForSession(false);
    }
    if (answer.status === 401) return null;
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}
