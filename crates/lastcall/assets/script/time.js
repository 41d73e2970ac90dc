// Waiting, and measuring elapsed time.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Reads both clocks. The monotonic clock may stop while the computer sleeps, and the wall clock may be set back.
export const timestamp = () => ({ monotonic: performance.now(), wall: Date.now() });

// The milliseconds since a timestamp: the larger of both differences, since each clock errs on the low side.
export const elapsedSince = ({ monotonic, wall }) => Math.max(performance.now() - monotonic, Date.now() - wall);
