// Everything that the script says, in one place.

const languages = {
  en: {
    label: "Announcement",
    message: (notice, seconds) => notice.message.replace(/\b\d+(?=s\b)/, seconds),
    short: "Save your work.",
    until: ["You will be signed out at ", "."],
    goesOn: ["You stay signed in: this page continues on another server at ", "."],
    left: "left",
    leave: "Logout Now",
    leaving: "Signing out…",
    stay: "Stay signed in on this page until the end",
    keepWorking: "Keep working",
    whole: "Show more",
    hide: "Hide",
    minute: "One minute left.",
    half: "Thirty seconds left.",
    cancelled: "All is well: you can stay. The announcement was taken back.",
    ended: {
      left: "You are signed out.",
      drain: "Time is up: you were signed out, as announced.",
      forced: "Time is up: the server had to sign you out.",
      logout: "You have signed out in another tab.",
      expired: "Your session has expired.",
      gone: "Your session has ended.",
    },
    kept: "What you entered on this page is still here, but was not sent. Copy what you need before you leave the page.",
    saved: "Your text is saved in this browser.",
    stopped: "The server has stopped responding.",
    reload: "Reload to continue.",
    failed: "The server does not answer, so you are still signed in. Please try again.",
    title: (seconds, title) => `${seconds}s left · ${title}`,
    endedTitle: (title) => `Signed out · ${title}`,
    stoppedTitle: (title) => `No answer · ${title}`,
  },
  de: {
    label: "Ankündigung",
    message: ({ reason }, seconds) =>
      `${reason === "maintenance" ? "Der Wartungsmodus wurde eingeschaltet." : `Der Server wird in ${seconds}s heruntergefahren.`} Bitte speichern Sie Ihre Arbeit und melden Sie sich ab.`,
    until: ["Sie werden um ", " Uhr abgemeldet."],
    goesOn: ["Sie bleiben angemeldet: Diese Seite wird um ", " Uhr auf einem anderen Server fortgesetzt."],
    short: "Bitte speichern.",
    left: "verbleiben",
    leave: "Jetzt abmelden",
    leaving: "Wird abgemeldet…",
    stay: "Auf dieser Seite bis zum Ende angemeldet bleiben",
    keepWorking: "Weiterarbeiten",
    whole: "Mehr zeigen",
    hide: "Ausblenden",
    minute: "Noch eine Minute.",
    half: "Noch dreißig Sekunden.",
    cancelled: "Alles in Ordnung: Sie können bleiben. Die Ankündigung wurde zurückgenommen.",
    ended: {
      left: "Sie sind abgemeldet.",
      drain: "Die Zeit ist um: Sie wurden wie angekündigt abgemeldet.",
      forced: "Die Zeit ist um: Der Server musste Sie abmelden.",
      logout: "Sie haben sich in einem anderen Tab abgemeldet.",
      expired: "Ihre Sitzung ist abgelaufen.",
      gone: "Ihre Sitzung ist beendet.",
    },
    kept: "Was Sie auf dieser Seite eingegeben haben, ist noch da, wurde aber nicht gesendet. Kopieren Sie, was Sie brauchen, bevor Sie die Seite verlassen.",
    saved: "Ihr Text ist in diesem Browser gespeichert.",
    stopped: "Der Server antwortet nicht mehr.",
    reload: "Laden Sie die Seite neu, um fortzufahren.",
    failed: "Der Server antwortet nicht; Sie sind noch angemeldet. Bitte versuchen Sie es noch einmal.",
    title: (seconds, title) => `noch ${seconds}s · ${title}`,
    endedTitle: (title) => `Abgemeldet · ${title}`,
    stoppedTitle: (title) => `Keine Antwort · ${title}`,
  },
};

// The page's choice, else the person's, else English. Both languages run from left to right.
const language = [choices.lang, ...(navigator.languages ?? [])]
  .map((tagged) => tagged?.split("-")[0].toLowerCase())
  .find((spoken) => Object.hasOwn(languages, spoken ?? "")) ?? "en";
const words = languages[language];
const direction = "ltr";
// Times of day as the language of the words has them: as its region does where the browser names one, and never as another
// language does. A system may give its browser a name that `Intl` does not take, such as `en-US@posix`.
const named = (navigator.languages ?? []).filter((tagged) => tagged.split("-")[0].toLowerCase() === language);
const locale = [...named, language].find((tagged) => isTaken(tagged));
const spokenClock = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });

function isTaken(tagged) {
  try {
    return Intl.getCanonicalLocales(tagged).length > 0;
  } catch {
    return false;
  }
}
