// A page that was asked for with the cookie from before a login: opens again, once. The mark is kept in the history entry, which
// a reload keeps and a new visit does not.

const target = document.querySelector("[data-location]")?.dataset.location;
const mark = "lastcall-reloaded";

setTimeout(() => {
  if (target) return location.replace(target);
  if (history.state === mark) return;
  history.replaceState(mark, "");
  location.reload();
}, 1000);
