// Places for event streams: a browser allows six connections to a host, so if every tab held one, a seventh would not
// even load. Four tabs at a time have a stream; the others ask, and take a place when one is free.

const PLACES = 4;

// Gives a function that leaves the place again, or null where all are taken.
export async function takePlace() {
  // Only pages over HTTPS, or from this machine, have locks. Without them every tab tries.
  if (!navigator.locks) return () => {};
  for (let number = 0; number < PLACES; number += 1) {
    const leave = await tryLock(`lastcall.stream.${number}`);
    if (leave) return leave;
  }
  return null;
}

function tryLock(name) {
  return new Promise((taken) => {
    const hold = (lock) => (lock ? new Promise((leave) => taken(leave)) : taken(null));
    navigator.locks.request(name, { ifAvailable: true }, hold).catch(() => taken(null));
  });
}
