// The script of a page that answers a request whose cookie was replaced by a sign-in: opens the address again, once. The mark is kept in
// the history entry, which survives a reload but not a new visit.

const target = document.querySelector("[data-location]")?.dataset.location;
const mark = "lastcall-reloaded";

setTimeout(() => {
  if (target) return location.replace(target);
  if (history.state === mark) return;
  history.replaceState(mark, "");
  location.reload();
}, 1000);
