// `GET /session`: the current state of the session, asked for where no stream delivers it or its news is in doubt.

import { sleep } from "./time.js";

const TIMEOUT_MS = 4_000;
const CONFIRM_AFTER_MS = 1_500;
// How long a server's clock is observed to see whether it runs.
const CLOCK_CHECK_MS = 300;

// The result where a service worker answered, or a cache that ignores `no-store`.
export const FROM_CACHE = Symbol("from a cache");

// Whether an answer carries an earlier server time than `newest`.
export const isOlder = (answer, newest) =>
  Boolean(newest && answer?.server_time) && Date.parse(answer.server_time) < Date.parse(newest);

// Resolves to the session, to `null` where there is none, to `FROM_CACHE` for a cached answer, and to `undefined` where the server
// does not answer. `isStale(answer)` tells whether the answer's server time is before that of the last event. A missing session is
// confirmed by a second request: during a sign-in in another tab the new cookie may not have arrived yet.
export async function querySession(routes, isStale, confirm = true) {
  const first = await fetchSession(routes);
  const answer = isStale(first) ? await verifyLive(routes, first, isStale) : first;
  if (!answer?.none) return answer;
  if (!confirm) return null;
  await sleep(CONFIRM_AFTER_MS);
  return querySession(routes, isStale, false);
}

// An answer older than the last event comes from a cache, or from a pod whose clock is behind. A second request tells them apart:
// the cache repeats its time, while the pod's clock has advanced.
async function verifyLive(routes, first, isStale) {
  await sleep(CLOCK_CHECK_MS);
  const second = await fetchSession(routes);
  const advanced = Date.parse(second?.server_time) - Date.parse(first.server_time);
  return !isStale(second) || advanced >= CLOCK_CHECK_MS / 2 ? second : FROM_CACHE;
}

async function fetchSession(routes) {
  try {
    const options = { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS), headers: { accept: "application/json" } };
    const answer = await fetch(`${routes}session`, options);
    if (answer.status === 401) return { none: true, server_time: (await answer.json().catch(() => null))?.server_time };
    const session = answer.ok ? await answer.json() : null;
    // A captive portal answers every request with a page of its own.
    return session?.session_id ? session : undefined;
  } catch {
    return undefined;
  }
}
