// A page that has to wait: asks by itself whether the real page would be served by now, at first every `data-again` seconds (on
// the tag, or on anything else), and loads it then. Only an answer that is unmistakably the service's own counts: whatever a
// proxy, a captive portal or nobody answers in between, this page stays. Where a form was sent, `data-location` names what is
// opened instead, so that nothing is sent twice.
{
  const tag = document.querySelector("[data-again]");
  const pause = Number(tag?.dataset.again || 2) * 1_000;
  const base = tag?.dataset.base ?? /^\/t\/[0-9A-Za-z]{16,64}\//.exec(location.pathname)?.[0] ?? "/";
  // The prefix in front of the service's own routes, like `/_lastcall`.
  const routes = base + (tag?.dataset.prefix ?? "").replace(/^\/(.+)$/, "$1/");
  const target = document.querySelector("[data-location]")?.dataset.location;
  const MAX_DELAY_MS = { visible: 10_000, hidden: 60_000 };
  const ANSWER_WITHIN_MS = 5_000;
  // Long enough to be read. Also how soon a first good answer is confirmed after bad ones.
  const TRYING_MS = 600;
  // A navigation that hangs leaves this page where it is: then it goes on asking.
  const LOAD_WITHIN_MS = 20_000;
  // Between two answers that the service itself gives, its clock runs on.
  const CLOCK_RUNS_MS = 50;

  const status = document.getElementById("again");
  const trying = document.getElementById("trying");
  const texts = {
    waiting: status?.textContent ?? "",
    offline: status?.dataset.offline ?? "You are offline. This page goes on by itself when you are back.",
    unreachable: status?.dataset.unreachable ?? "The service does not answer yet. This page keeps trying.",
    back: status?.dataset.back ?? "The service is back. Opening the page…",
    trying: trying?.dataset.trying ?? "Trying again…",
  };
  // A live region speaks whenever its text is set: only news is.
  const say = (state) => {
    if (status && status.textContent !== texts[state]) status.textContent = texts[state];
  };
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const ask = (url, options) =>
    fetch(url, { redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS), ...options });

  // Whether the last answer led elsewhere, as a proxy's does before which the user has to sign in again.
  let ledAway = false;

  // What the service says: `found` as below, and at what time.
  async function sessionAnswer() {
    const url = `${routes}session?t=${Math.random().toString(36).slice(2)}`;
    const answer = await ask(url, { headers: { accept: "application/json" } });
    ledAway = answer.type === "opaqueredirect";
    if (answer.status === 503) return { found: "waiting" };
    const session = await answer.json();
    const admits = answer.status === 200 ? typeof session.session_id === "string" : session.admits_newcomers;
    if (![200, 401].includes(answer.status) || typeof admits !== "boolean") return { found: "foreign" };
    const found = admits ? "admitted" : answer.status === 200 ? "foreign" : "waiting";
    return { found, time: session.server_time };
  }

  // `admitted`: the page would be served. `waiting`: not yet. `foreign`: nobody answers, or somebody else does. No question
  // starts a session.
  async function standing() {
    try {
      const first = await sessionAnswer();
      if (first.found !== "admitted") return first.found;
      const page = await ask(target || location.href, { method: "HEAD" });
      if (page.status >= 500) return "waiting";
      await sleep(CLOCK_RUNS_MS);
      const second = await sessionAnswer();
      // A service worker, or a cache that ignores `no-store`, says the same time again.
      return first.time && second.time === first.time ? "foreign" : second.found;
    } catch {
      return "foreign";
    }
  }

  let timer = null;
  let asking = false;
  // Something has changed while a question was under way: its answer may be older.
  let changed = false;
  let tries = 0;
  // A proxy that has just given a wrong answer may give another one: the right one must come twice in a row.
  let foreign = 0;
  let wanted = 1;

  function schedule(ms) {
    clearTimeout(timer);
    timer = setTimeout(again, ms);
  }

  function delay() {
    const most = Math.max(pause, document.hidden ? MAX_DELAY_MS.hidden : MAX_DELAY_MS.visible);
    return Math.min(pause * 1.5 ** tries, most) * (0.5 + Math.random() / 2);
  }

  async function again() {
    if (asking) return void (changed = true);
    asking = true;
    changed = false;
    if (trying) trying.textContent = texts.trying;
    const [found] = await Promise.all([standing(), sleep(TRYING_MS)]);
    if (trying) trying.textContent = "";
    asking = false;
    tries += 1;
    foreign = found === "foreign" ? foreign + 1 : 0;
    if (found === "foreign") wanted = 2;
    if (found !== "admitted") {
      if (found === "waiting") say("waiting");
      else if (!navigator.onLine) say("offline");
      else if (foreign > 1) say("unreachable");
      return schedule(changed ? 0 : delay());
    }
    wanted -= 1;
    if (wanted > 0) return schedule(TRYING_MS * Math.random());
    say("back");
    wanted = 1;
    schedule(LOAD_WITHIN_MS);
    if (target) location.replace(target);
    else location.reload();
  }

  // Something has changed: ask soon, and begin with short delays again.
  function soon(ms) {
    tries = 0;
    schedule(ms);
  }

  addEventListener("online", () => soon(Math.random() * 1_000));
  addEventListener("offline", () => say("offline"));
  addEventListener("pageshow", (event) => event.persisted && soon(0));
  document.addEventListener("visibilitychange", () => document.hidden || soon(0));
  // The first click is a question like the others, so that it does not lead to a proxy's error. The next one opens the page, and
  // the first one where only that can help.
  let clicked = false;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href=""], a[data-location]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (clicked || ledAway) return;
    clicked = true;
    event.preventDefault();
    soon(0);
  });
  schedule(delay());
}
