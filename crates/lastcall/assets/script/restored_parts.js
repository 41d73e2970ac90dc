// Parts of a banner that a framework restores from a snapshot of the page, in the state they had when it was taken.

const PARTS = "lastcall-banner, #drain-banner, #reprieve, #drain-over";

// Calls `onRestore()` when a change to the document brings back a part of a banner, takes the script's own element away, or changes the
// title.
export function observeRestoredParts(host, onRestore) {
  const isPart = (node) => node !== host && node.nodeType === 1 && (node.matches(`title, ${PARTS}`) || node.querySelector(PARTS));
  const restores = ({ target, addedNodes }) => target.nodeName === "TITLE" || [...addedNodes].some(isPart);
  const observer = new MutationObserver((changes) => {
    if (changes.some(restores)) onRestore();
    // Not at once: a page that removes it again each time must not hang.
    else if (!host.isConnected) requestAnimationFrame(onRestore);
  });
  observer.observe(document, { childList: true, subtree: true });
}

// Removes or hides every banner other than `banner`.
export function removeCopies(host, banner) {
  for (const copy of [...document.getElementsByTagName("lastcall-banner")]) if (copy !== host) copy.remove();
  for (const copy of document.querySelectorAll("#drain-banner")) if (copy !== banner) copy.hidden = true;
}
