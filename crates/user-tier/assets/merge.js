// Combines two texts that were changed independently, so that nothing that was typed is lost. Works on characters, not on halves of them.

// `base` is the text that both are based on; null where it is not known.
export function merge(base, ours, theirs) {
  if (ours === theirs || theirs === base) return ours;
  if (ours === base) return theirs;
  // Without a common text, one that contains the other has everything.
  if (!base) return ours.includes(theirs) ? ours : theirs.includes(ours) ? theirs : `${theirs}\n${ours}`;
  const [a, b, o] = [[...ours], [...theirs], [...base]];
  const [ourStart, ourEnd] = changed(o, a);
  const [theirStart, theirEnd] = changed(o, b);
  const shift = (text) => text.length - o.length;
  // Changes of different places are both applied.
  if (ourEnd < theirStart) return text(a.slice(0, ourEnd + shift(a)), b.slice(ourEnd));
  if (theirEnd < ourStart) return text(b.slice(0, theirEnd + shift(b)), a.slice(theirEnd));
  // Changes of the same place stand one below the other, unless one continues the other.
  const [start, end] = [Math.min(ourStart, theirStart), Math.max(ourEnd, theirEnd)];
  const ourPart = text(a.slice(start, end + shift(a)));
  const theirPart = text(b.slice(start, end + shift(b)));
  const both = ourPart.startsWith(theirPart) ? ourPart : theirPart.startsWith(ourPart) ? theirPart : `${theirPart}\n${ourPart}`;
  return text(o.slice(0, start)) + both + text(o.slice(end));
}

const text = (...parts) => parts.flat().join("");

// The part of `before` that differs in `after`, as start and end.
function changed(before, after) {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let same = 0;
  while (same < shorter - start && before.at(-1 - same) === after.at(-1 - same)) same += 1;
  return [start, before.length - same];
}
