// Everything that the scripts say, in one place.

export const words = {
  connection: {
    opening: "Connecting…",
    live: "Live",
    lost: "Reconnecting… Your notes are safe in this browser.",
    asking: "Checking every few seconds",
    over: "Signed out",
    elsewhere: "You are connected in another browser",
  },
  saved: (time) => `Saved in this browser at ${time}.`,
  notSaved: "Not saved: this browser keeps nothing for this page. Copy your notes before you leave.",
  ended: {
    forced: "Time is up: the server had to sign you out. Your notes are still here and saved in this browser.",
    drain: "Time is up: you were signed out, as announced. Your notes are still here and saved in this browser.",
    logout: "You have signed out in another tab.",
    expired: "Your session has expired. Your notes are still here and saved in this browser.",
    gone: "Your session has ended. Your notes are still here and saved in this browser.",
  },
  newSession: (before, now) =>
    `Your session on ${before} has ended. You have a new session on ${now}. Your notes are kept in this browser.`,
  erasedElsewhere: "Erased in another tab. What you see here is not saved unless you write on.",
  cannotSignIn: "The server does not answer, so your name was not changed. Your notes are saved in this browser.",
  broughtBack: "Your notes are back in this browser: sign in again, under the same name if you gave one, to go on.",
  cannotContinue: "No server answers yet. Stay on this page and try again: your notes are here and saved in this browser.",
  cannotLeave: "The server does not answer, so you are still signed in. Nothing was erased.",
};
