// Keeps a page fresh: fetches it again, swaps what has changed, and says in words when it can't.
// Without this script the page renews itself by the browser's own means.

const every = () => Number(document.body.dataset.refresh) * 1000;
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
// The server's clock, as far as this page knows it: the browser's may be wrong.
let serverTime = Date.now();
let heardAt = performance.now();

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const utc = time.getAttribute("datetime");
    time.title = utc;
    if (!("words" in time.dataset)) time.textContent = local.format(new Date(utc));
  }
}

function heard(root) {
  const time = root.querySelector("#freshness time");
  if (!time) return;
  serverTime = Date.parse(time.getAttribute("datetime"));
  heardAt = performance.now();
}

function countDown() {
  const now = serverTime + (performance.now() - heardAt);
  for (const deadline of document.querySelectorAll("[data-deadline]")) {
    const seconds = Math.max(0, Math.ceil((Date.parse(deadline.dataset.deadline) - now) / 1000));
    const words = seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
    if (deadline.textContent !== words) deadline.textContent = words;
  }
}

// Somebody reads, copies, or is about to press a button: nothing must move away under them.
function isBusy() {
  const selection = document.getSelection();
  const pressing = document.activeElement?.closest("main form") || document.querySelector("main button:hover");
  return Boolean((selection && !selection.isCollapsed) || pressing);
}

function swap(fresh) {
  const focused = document.activeElement?.closest("main") && document.activeElement;
  const again = focused?.getAttribute("href");
  // What somebody has opened stays open.
  const opened = [...document.querySelectorAll("main details[open]")].map((details) => details.id);
  const summary = focused?.matches("summary") && focused.parentElement.id;
  document.querySelector("main").replaceChildren(...fresh.querySelector("main").childNodes);
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  if (again) document.querySelector(`main a[href="${CSS.escape(again)}"]`)?.focus({ preventScroll: true });
  if (summary) document.querySelector(`#${CSS.escape(summary)} > summary`)?.focus({ preventScroll: true });
}

async function renew() {
  const freshness = document.getElementById("freshness");
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(10_000) });
    // Signed out, or for too long here: the page itself leads to the sign-in and back.
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    localise(fresh);
    heard(fresh);
    if (isBusy()) return;
    swap(fresh);
    document.body.dataset.refresh = fresh.body.dataset.refresh;
    freshness.replaceChildren(...fresh.getElementById("freshness").childNodes);
    freshness.classList.remove("lost");
  } catch {
    if (freshness.classList.contains("lost")) return;
    freshness.prepend("The admin tier does not answer. ");
    freshness.classList.add("lost");
  }
}

async function keepFresh() {
  if (!document.hidden) await renew();
  setTimeout(keepFresh, every());
}

localise(document);
heard(document);
countDown();
setInterval(countDown, 250);
document.addEventListener("visibilitychange", () => document.hidden || renew());
setTimeout(keepFresh, every());
