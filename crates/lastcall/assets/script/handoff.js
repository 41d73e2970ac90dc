// How often this page opens its stream again to move to another pod, and when.
//
// The pod that stops asks by `move`. The first attempt is made at a random moment. Where it leads back to the same pod, six retries
// follow at once: each one closes an idle connection that the browser still has to that pod. All further attempts keep the pace of a pod
// that asks, whatever the server does.

const JITTER_MS = 500;
const MAX_RETRIES = 6;
const ASK_INTERVAL_MS = 2_000;
// How long after the announced end the pod may still end the stream.
const END_TOLERANCE_MS = 10_000;
// A stream that is asked or ends this soon after `connected` was opened at the pod that stops.
export const SETTLED_AFTER_MS = 1_000;

export const randomDelay = () => Math.random() * JITTER_MS;

export class Handoff {
  // The pod that asked, and until when it may end the stream.
  #pod = null;
  #until = -Infinity;
  #retries = MAX_RETRIES;
  #lastAttempt = -Infinity;
  // When the current stream sent `connected`: NaN before.
  #connectedAt = NaN;
  #isAttempt = false;

  // Whether a pod has asked this page to move, and may still end its stream.
  get isAnnounced() {
    return performance.now() < this.#until;
  }

  // For how many milliseconds the current stream has been connected; NaN where it never was.
  get connectedMs() {
    return performance.now() - this.#connectedAt;
  }

  // Whether the current stream was opened to move, and has only just sent `connected`.
  get hasReturned() {
    return this.#isAttempt && this.connectedMs < SETTLED_AFTER_MS;
  }

  // Records that a stream is being opened. `isAttempt`: to move.
  opening(isAttempt) {
    this.#isAttempt = isAttempt;
    this.#connectedAt = NaN;
    if (isAttempt) this.#lastAttempt = performance.now();
  }

  connected() {
    this.#connectedAt = performance.now();
  }

  // Records that a pod asks, which ends its streams in `remainingMs` at the latest.
  announce(pod, remainingMs) {
    if (!this.hasReturned && (pod !== this.#pod || !this.isAnnounced)) {
      this.#pod = pod;
      this.#retries = MAX_RETRIES;
      this.#lastAttempt = -Infinity;
    }
    this.#until = performance.now() + remainingMs + END_TOLERANCE_MS;
  }

  // Whether the next attempt is a retry, which is made at once.
  takeRetry() {
    if (!this.hasReturned || this.#retries === 0) return false;
    this.#retries -= 1;
    return true;
  }

  // The milliseconds to wait before an attempt that is no retry.
  get pauseMs() {
    return Math.max(0, this.#lastAttempt + ASK_INTERVAL_MS - performance.now());
  }
}
