// Everything that the scripts say, in one place. What happened at the end of a session the library says.

// Times are said in the language of these words, as the user's region has them where that is one of the language. A
// system may give its browser a name that `Intl` does not take, such as `en-US@posix`.
const { lang } = document.documentElement;
const named = (navigator.languages ?? []).filter((tagged) => tagged.split("-")[0].toLowerCase() === lang);
const locale = [...named, lang].find((tagged) => isTaken(tagged));
export const formatOf = (style) => new Intl.DateTimeFormat(locale, style);

function isTaken(tagged) {
  try {
    return Intl.getCanonicalLocales(tagged).length > 0;
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
  goOn: "Continue",
  reload: "Reload",
  saved: (time) => `Saved in this browser at ${time}.`,
  notSaved: "Not saved: this browser keeps nothing for this page. Copy your notes before you leave.",
  open: (user) => `Notes of ${user}: open`,
  newSession: (before, now, name) =>
    `Your session on ${before} has ended. You have a new session on ${now}. ` +
    (name ? `Sign in as ${name} to go on with your notes.` : "Your notes are saved in this browser."),
  erasedElsewhere: "Erased in another tab. What you see here is not saved unless you write on.",
  cannotSignIn: "The server does not answer, so your name was not changed. Your notes are saved in this browser.",
  broughtBack: "Your notes are back in this browser: sign in again, under the same name if you gave one, to go on.",
  waiting: "Waiting for a server. This page goes on as soon as one answers.",
  cannotContinue: "No server answers yet. Stay on this page, or press Continue again to open the first page all the same.",
  cannotLeave: "The server does not answer, so you are still signed in. Nothing was erased.",
};
