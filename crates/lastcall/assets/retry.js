// The script of a page that waits for the service. It asks whether the service would serve the real page, at first every `data-again`
// seconds (an attribute of any element), and then loads the page. Only the service's own answer counts: a proxy's error, a captive
// portal or no answer leave this page in place. After a form was sent, `data-location` names the page to open instead, so that nothing
// is sent twice.
{
  const tag = document.querySelector("[data-again]");
  const initialDelay = Number(tag?.dataset.again || 2) * 1_000;
  const base = tag?.dataset.base ?? /^\/t\/[0-9A-Za-z]{16,64}\//.exec(location.pathname)?.[0] ?? "/";
  // The prefix in front of the service's own routes, like `/_lastcall`.
  const routes = base + (tag?.dataset.prefix ?? "").replace(/^\/(.+)$/, "$1/");
  const target = document.querySelector("[data-location]")?.dataset.location;
  const MAX_DELAY_MS = { visible: 10_000, hidden: 60_000 };
  const TIMEOUT_MS = 5_000;
  // How long "Trying again…" is visible at least, and the longest wait before a good answer is confirmed.
  const TRYING_MS = 600;
  // Where loading the page hangs, asking resumes after this time.
  const LOAD_TIMEOUT_MS = 20_000;
  // Between two answers of the service itself, its clock advances. A cached answer repeats its time.
  const CLOCK_CHECK_MS = 50;

  const status = document.getElementById("again");
  const trying = document.getElementById("trying");
  const texts = {
    waiting: status?.textContent ?? "",
    offline: status?.dataset.offline ?? "You are offline. This page continues by itself when you are online again.",
    unreachable: status?.dataset.unreachable ?? "The service does not answer yet. This page keeps trying.",
    back: status?.dataset.back ?? "The service is back. Opening the page…",
    trying: trying?.dataset.trying ?? "Trying again…",
  };
  // Screen readers announce a live region whenever its text is set, so an unchanged text is not set again.
  const show = (state) => {
    if (status && status.textContent !== texts[state]) status.textContent = texts[state];
  };
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const ask = (url, options) =>
    fetch(url, { redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS), ...options });

  // Whether the last answer was a redirect, such as to the sign-in page of a proxy.
  let redirected = false;

  // Asks the service once. Returns the result, as below, and the server's time.
  async function querySession() {
    const url = `${routes}session?t=${Math.random().toString(36).slice(2)}`;
    const answer = await ask(url, { headers: { accept: "application/json" } });
    redirected = answer.type === "opaqueredirect";
    if (answer.status === 503) return { found: "waiting" };
    const session = await answer.json();
    const admits = answer.status === 200 ? typeof session.session_id === "string" : session.admits_newcomers;
    if (![200, 401].includes(answer.status) || typeof admits !== "boolean") return { found: "foreign" };
    const found = admits ? "admitted" : answer.status === 200 ? "foreign" : "waiting";
    return { found, time: session.server_time };
  }

  // Asks whether the page would be served: `admitted`, or `waiting` where not yet. `foreign`: the service did not answer, or something
  // else did. No request starts a session.
  async function checkAdmission() {
    try {
      const first = await querySession();
      if (first.found !== "admitted") return first.found;
      const page = await ask(target || location.href, { method: "HEAD" });
      if (page.status >= 500) return "waiting";
      await sleep(CLOCK_CHECK_MS);
      const second = await querySession();
      // A service worker, or a cache that ignores `no-store`, repeats its time.
      return first.time && second.time === first.time ? "foreign" : second.found;
    } catch {
      return "foreign";
    }
  }

  let timer = null;
  let asking = false;
  // Circumstances changed during a request, so its answer may be outdated.
  let changed = false;
  let attempts = 0;
  // Foreign answers in a row.
  let foreign = 0;
  // How many more good answers are needed. After a foreign answer two in a row are, since the proxy may give another one.
  let required = 1;

  function schedule(ms) {
    clearTimeout(timer);
    timer = setTimeout(retry, ms);
  }

  function delay() {
    const max = Math.max(initialDelay, document.hidden ? MAX_DELAY_MS.hidden : MAX_DELAY_MS.visible);
    return Math.min(initialDelay * 1.5 ** attempts, max) * (0.5 + Math.random() / 2);
  }

  async function retry() {
    if (asking) return void (changed = true);
    asking = true;
    changed = false;
    if (trying) trying.textContent = texts.trying;
    const [found] = await Promise.all([checkAdmission(), sleep(TRYING_MS)]);
    if (trying) trying.textContent = "";
    asking = false;
    attempts += 1;
    foreign = found === "foreign" ? foreign + 1 : 0;
    if (found === "foreign") required = 2;
    if (found !== "admitted") {
      if (found === "waiting") show("waiting");
      else if (!navigator.onLine) show("offline");
      else if (foreign > 1) show("unreachable");
      return schedule(changed ? 0 : delay());
    }
    required -= 1;
    if (required > 0) return schedule(TRYING_MS * Math.random());
    show("back");
    required = 1;
    schedule(LOAD_TIMEOUT_MS);
    if (target) location.replace(target);
    else location.reload();
  }

  // Asks soon, and starts over with short delays.
  function restart(ms) {
    attempts = 0;
    schedule(ms);
  }

  addEventListener("online", () => restart(Math.random() * 1_000));
  addEventListener("offline", () => show("offline"));
  addEventListener("pageshow", (event) => event.persisted && restart(0));
  document.addEventListener("visibilitychange", () => document.hidden || restart(0));
  // The first click on a link asks as well, instead of opening what may be a proxy's error. The next click opens the page, and so does
  // the first one after a redirect, since the user may have to sign in at the proxy.
  let clicked = false;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href=""], a[data-location]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (clicked || redirected) return;
    clicked = true;
    event.preventDefault();
    restart(0);
  });
  schedule(delay());
}
