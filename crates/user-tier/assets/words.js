// Every text that the page's scripts show, in one place. The library reports the end of a session.

// Times are formatted in the page's language, and for the user's region where it belongs to that language. Systems may give the
// browser a name that `Intl` rejects, such as `en-US@posix`.
const { lang } = document.documentElement;
const regional = (navigator.languages ?? []).filter((locale) => locale.split("-")[0].toLowerCase() === lang);
const locale = [...regional, lang].find(isValid);
export const timeFormat = (style) => new Intl.DateTimeFormat(locale, style);

function isValid(locale) {
  try {
    return Intl.getCanonicalLocales(locale).length > 0;
  } catch {
    return false;
  }
}

export const words = {
  connection: {
    opening: "Connecting…",
    live: "Live",
    lost: "Reconnecting… Your notes are saved in this browser.",
    asking: "Checking every few seconds",
    over: "Signed out",
    elsewhere: "You are connected in another browser",
    stopped: "No answer from the server",
  },
  chat: {
    "all-servers": "Connected: you reach the users of all servers.",
    "this-server": "Connected: you reach the users of this server.",
    "this-server-for-now": "Connected, but other servers cannot be reached now: only the users of this server read you.",
    lost: "Not connected. Trying again…",
    notSent: "Not connected, so your message was not sent. It stays here until it is.",
    invalid: "Not sent: a message has 1 to 500 characters.",
    "too-fast": "Not sent: that was too fast. Send it again in a moment.",
    over: "The chat has ended with your session.",
    missed: "Some messages were left out: this browser read too slowly.",
  },
  goOn: "Continue",
  reload: "Reload",
  saved: (time) => `Saved in this browser at ${time}.`,
  notSaved: "Not saved: this browser does not store data for this page. Copy your notes before you leave.",
  open: (user) => `Notes of ${user}: open`,
  newSession: (before, now, name) =>
    `Your session on ${before} has ended. You have a new session on ${now}. ` +
    (name ? `Sign in as ${name} to continue with your notes.` : "Your notes are saved in this browser."),
  erasedElsewhere: "Erased in another tab. The text that you see is not saved unless you edit it.",
  cannotSignIn: "The server does not answer, so your name was not changed. Your notes are saved in this browser.",
  restored: "Your notes are back in this browser. To continue with them, sign in under the same name, if you gave one.",
  waiting: "Waiting for a server. This page continues as soon as one answers.",
  cannotContinue: "No server answers yet. Stay on this page, or press Continue again to open the first page anyway.",
  cannotLeave: "The server does not answer, so you are still signed in. Nothing was erased.",
};
