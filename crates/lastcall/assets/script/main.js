// The entry point: creates the parts of the script, connects them, and starts.

import { Banner, noBanner } from "./banner.js";
import { Connection } from "./connection.js";
import { Drain } from "./drain.js";
import { Host } from "./host.js";
import { createLocks } from "./leader_lock.js";
import { LogoutConsent } from "./logout_consent.js";
import { Logout } from "./logout.js";
import { emit } from "./page_events.js";
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
    : new Banner({ host, title, texts, savesText: settings.savesText, workNames, describeWork: describe, logout: () => logout.run() });
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
  const consent = new LogoutConsent(shared, () => drain.isProtected);
  const connection = new Connection({
    routes,
    tabScoped,
    known: notice !== null || settings.hasSession,
    locks,
    shared,
    consent,
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
  const events = new ServerEvents({ banner, drain, logout, connection });

  globalThis.lastcall = Object.freeze({ base, leave: (options) => logout.run(options), ask: () => connection.ask() });

  if (notice) drain.show(notice, false);
  // A saved page may contain a banner or a title from a countdown.
  else if (location.protocol === "file:" || titleShowsTime()) banner.refresh();
  connection.open();
}

startOnce(run);
