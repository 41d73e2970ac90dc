// The entry point: creates the parts of the script, connects them, and starts.

import { Banner, noBanner } from "./banner.js";
import { watchPolicy } from "./blocked.js";
import { Connection } from "./connection.js";
import { Consent } from "./consent.js";
import { Drain } from "./drain.js";
import { Host } from "./host.js";
import { createLocks } from "./leader_lock.js";
import { Logout } from "./logout.js";
import { MoveNow } from "./move_now.js";
import { emit, emitWaiting } from "./page_events.js";
import { renderedNotice } from "./rendered_notice.js";
import { ServerEvents } from "./server_events.js";
import { readSettings } from "./settings.js";
import { startOnce } from "./start.js";
import { chooseTexts, describeWork } from "./texts.js";
import { Title, titleShowsTime } from "./title.js";

function run() {
  const settings = readSettings();
  const { base, routes, customUi, workNames } = settings;
  const texts = chooseTexts(settings.language);
  const { words } = texts;
  const describe = (notice) => describeWork(words, notice, workNames());
  const locks = createLocks();
  // With `SESSION_SCOPE=tab` every tab has a session and a path of its own.
  const tabScoped = base !== "/";
  const shared = !tabScoped && locks.exclusive;
  const notice = renderedNotice(settings.renderedNotice);

  const host = new Host(texts, customUi);
  const announce = (text) => host.announce(text);
  const title = customUi ? null : new Title(words);
  const banner = customUi
    ? noBanner
    : new Banner({ host, title, texts, savesText: settings.savesText, workNames, describeWork: describe, logout: () => logout.run(), move: () => moveNow.run() });
  const drain = new Drain({
    banner,
    title,
    announce,
    words,
    describeWork: describe,
    onLogout: () => logout.run({ automatic: true }),
    onEnd: () => events.awaitEnd(),
    onDoubt: () => connection.ask(),
  });
  const consent = new Consent({
    channel: "lastcall.logout",
    ask: (detail, waitUntil) => emitWaiting("leaving", detail, waitUntil),
    shared,
    // A user's own click is not objected to.
    counts: ({ automatic }) => automatic,
    // The server has told this tab that it waits for work of the session, which a tab that has not heard so yet must not end.
    objects: () => drain.isProtected,
  });
  const moveConsent = new Consent({
    channel: "lastcall.move",
    ask: (detail, waitUntil) => emitWaiting("moving", detail, waitUntil, document),
    shared,
    // A user's own click is not objected to.
    counts: ({ automatic }) => automatic !== false,
  });
  const connection = new Connection({
    routes,
    tabScoped,
    known: notice !== null || settings.hasSession,
    locks,
    shared,
    consents: [consent, moveConsent],
    moveConsent,
    onEvent: (name, data) => events.handle(name, data),
    onState: (state) => emit("state", { state }),
    isUrgent: () => drain.running,
  });
  const logout = new Logout({
    routes,
    words,
    banner,
    announce,
    drain,
    consent,
    connection,
    onEnd: (data) => events.showEnd(data),
  });
  const moveNow = new MoveNow({ words, banner, announce, drain, connection });
  const events = new ServerEvents({ banner, drain, logout, connection, moveNow });

  globalThis.lastcall = Object.freeze({
    base,
    leave: (options) => logout.run(options),
    move: () => moveNow.run(),
    ask: () => connection.ask(),
  });

  if (notice) drain.show(notice, false);
  // A saved page may contain a banner or a title from a countdown.
  else if (location.protocol === "file:" || titleShowsTime()) banner.refresh();
  watchPolicy(routes, () => connection.close());
  connection.open();
}

startOnce(run);
