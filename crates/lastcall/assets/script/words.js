// Everything that the script says, in one place.

const languages = {
  en: {
    label: "Announcement",
    message: (notice) => notice.message,
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
    end: "Time is up.",
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
    failed: "The server does not answer, so you are still signed in. Please try again.",
    title: (seconds, title) => `${seconds}s left · ${title}`,
    endedTitle: (title) => `Signed out · ${title}`,
  },
  de: {
    label: "Ankündigung",
    message: ({ reason, remaining_ms: left }) =>
      `${reason === "maintenance" ? "Der Wartungsmodus wurde eingeschaltet." : `Der Server wird in ${Math.round(left / 1000)}s heruntergefahren.`} Bitte speichern Sie Ihre Arbeit und melden Sie sich ab.`,
    until: ["Sie werden um ", " Uhr abgemeldet."],
    goesOn: ["Sie bleiben angemeldet: Diese Seite wird um ", " Uhr auf einem anderen Server fortgesetzt."],
    left: "verbleiben",
    leave: "Jetzt abmelden",
    leaving: "Wird abgemeldet…",
    stay: "Auf dieser Seite bis zum Ende angemeldet bleiben",
    keepWorking: "Weiterarbeiten",
    whole: "Mehr zeigen",
    hide: "Ausblenden",
    minute: "Noch eine Minute.",
    half: "Noch dreißig Sekunden.",
    end: "Die Zeit ist um.",
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
    failed: "Der Server antwortet nicht; Sie sind noch angemeldet. Bitte versuchen Sie es noch einmal.",
    title: (seconds, title) => `noch ${seconds}s · ${title}`,
    endedTitle: (title) => `Abgemeldet · ${title}`,
  },
};

// The page's choice, else the person's, else English. Both languages run from left to right.
const language = [choices.lang, ...(navigator.languages ?? [])]
  .map((tagged) => tagged?.split("-")[0].toLowerCase())
  .find((spoken) => Object.hasOwn(languages, spoken ?? "")) ?? "en";
const words = languages[language];
const direction = "ltr";
const spokenClock = new Intl.DateTimeFormat(language === navigator.language?.split("-")[0] ? undefined : language, { timeStyle: "medium" });
