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

const SIZES = [[1e9, "gigabyte"], [1e6, "megabyte"], [1e3, "kilobyte"]];

// Returns a number of bytes as users read it.
export function sizeOf(bytes) {
  const [divisor, unit] = SIZES.find(([from]) => bytes >= from) ?? [1, "byte"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, maximumSignificantDigits: 3 }).format(bytes / divisor);
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
  saving: "Saving…",
  saved: (time) => `Saved at ${time}.`,
  merged: "Text from another window was added: please check it.",
  notSaved: "Not saved: trying again.",
  tooLong: (bytes) => `Not saved: the text is ${bytes} bytes too long. Shorten it.`,
  signedOut: "Not saved on the server: you are signed out.",
  notLoaded: "Your notes cannot be loaded from the server: trying again.",
  kept: "Your text is kept in this browser.",
  notKept: "This browser does not store data for this page: copy your notes before you leave.",
  open: (user) => `Notes of ${user}: open`,
  newSession: (before, now, name) =>
    `Your session on ${before} has ended. You have a new session on ${now}. ` +
    (name ? `Sign in as ${name} to continue with your notes.` : "Your notes are saved in this browser."),
  erasedElsewhere: "Erased in another tab: it is not kept in this browser any more. The text that you see is not saved again unless you edit it.",
  cannotSignIn: "The server does not answer, so your name was not changed. Your notes are saved in this browser.",
  restored: "Your notes are back in this browser. To continue with them, sign in under the same name, if you gave one.",
  waiting: "Waiting for a server. This page continues as soon as one answers.",
  cannotContinue: "No server answers yet. Stay on this page, or press Continue again to open the first page anyway.",
  upload: {
    name: "Upload",
    progress: (file) => `Progress of ${file}`,
    waiting: "Waiting for the upload before it.",
    sent: (sent, total) => `${sent} of ${total} sent`,
    cancel: "Cancel",
    again: "Send again",
    finished: (size) => `Finished: the server has received all ${size}.`,
    digest: "SHA-256:",
    different: (size) => `Not complete: the server has received ${size}. Send it again.`,
    stalled: "Stalled: nothing was sent for ten seconds. It goes on by itself if it can, but a server that shuts down does not wait for it.",
    unanswered: "All of it is sent, but the server has not confirmed that it arrived.",
    cancelled: "Cancelled.",
    checking: "The connection broke. Asking the server why…",
    cutOff: "Cut off: the server ended before it was complete. Sign in again and repeat it.",
    tooLarge: (limit) => `Too large: a file may have up to ${limit}. Nothing was sent.`,
    refused: {
      401: "Not sent: you are signed out. Sign in again and repeat it.",
      403: "Refused: the server takes files from its own pages only.",
      409: "Not sent: your session is not known here any more. Reload the page and repeat it.",
    },
    failed: (status) => `Not sent: the server answered ${status}. Send it again later.`,
    broken: {
      ended: "Cut off: the server ended before it was complete. Sign in again and repeat it.",
      connection: "The connection broke before it was complete. Send it again.",
      network: "The network or the server is gone, so it was not completed. Send it again once you are connected.",
      changed: "This file was changed or removed on your device. Choose it again.",
    },
  },
  exporting: {
    name: "Export",
    running: (seconds) => `Sealing your notes: about ${seconds} s left.`,
    done: "Done. This page has the file: you can save it at any time, also after you are signed out.",
    cut: "Cut off: the server ended before the export was complete. Export again after you have signed in.",
    ended: "The export was not finished: the server or your session has ended. Sign in and export again.",
    elsewhere: "The export was not collected: your session goes on at another server. You are still signed in; export again.",
    unreachable: "No answer from the server. Trying again; it goes on there.",
    notBegun: "The server does not answer, so no export has begun. Try again.",
    refused: {
      401: "You are signed out. Sign in to export your notes.",
    },
  },
  cannotLeave: "The server does not answer, so you are still signed in. Nothing was erased.",
};
