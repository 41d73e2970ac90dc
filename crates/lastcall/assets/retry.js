// A page that has to wait: asks by itself whether the real page would be served by now, at first every `data-again` seconds (on
// the tag, or on anything else), and loads it then. Only an answer that is unmistakably the service's own counts: whatever a
// proxy, a captive portal or nobody answers in between, this page stays.
{
  const tag = document.querySelector("[data-again]");
  const pause = Number(tag?.dataset.again || 2) * 1_000;
  const base = tag?.dataset.base ?? /^\/t\/[0-9A-Za-z]{16,64}\//.exec(location.pathname)?.[0] ?? "/";
  const MAX_DELAY_MS = { visible: 10_000, hidden: 60_000 };
  const ANSWER_WITHIN_MS = 5_000;
  // Long enough to be read. Also how soon a first good answer is confirmed after bad ones.
  const TRYING_MS = 600;
  // A navigation that hangs leaves this page where it is: then it goes on asking.
  const LOAD_WITHIN_MS = 20_000;

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

  // `admitted`: the page would be served. `waiting`: not yet. `foreign`: nobody answers, or somebody else does.
  async function standing() {
    try {
      // Neither of the two questions starts a session.
      const answer = await ask(`${base}session`, { headers: { accept: "application/json" } });
      if (answer.status === 503) return "waiting";
      const session = await answer.json();
      const admits = answer.status === 200 ? typeof session.session_id === "string" : session.admits_newcomers;
      if (![200, 401].includes(answer.status) || typeof admits !== "boolean") return "foreign";
      if (!admits) return answer.status === 200 ? "foreign" : "waiting";
      const page = await ask(location.href, { method: "HEAD" });
      return page.status < 500 ? "admitted" : "waiting";
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
    location.reload();
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
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href=""]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    soon(0);
  });
  schedule(delay());
}
