// Chooses the language of the texts.

import { languages } from "./languages.js";

const MAX_SHORT_NAME = 10;

// Returns the texts in the page's language, else in the first of the user's languages that there is, else in English, together
// with a formatter for times of day.
export function chooseTexts(pageLanguage) {
  const preferred = navigator.languages ?? [];
  const language = [pageLanguage, ...preferred]
    .map((locale) => locale && baseLanguage(locale))
    .find((candidate) => Object.hasOwn(languages, candidate ?? "")) ?? "en";
  // The user's region where it belongs to that language: times of day must not be formatted as in another language.
  const locales = [...preferred.filter((locale) => baseLanguage(locale) === language), language];
  const timeOfDay = new Intl.DateTimeFormat(locales.find(isValid), { timeStyle: "medium" });
  // Both languages are written from left to right.
  return { language, direction: "ltr", words: languages[language], timeOfDay };
}

// Says what becomes of the work in progress of a protected session: `names` is what the page calls it.
export function describeWork({ work }, notice, names) {
  return notice.grace_ms > 0 ? work.finished(names) : work.cut(names);
}

// Says in a few words that work is in progress. Small screens have no room for more than one short name.
export function describeWorkBriefly({ work }, names) {
  const [name] = names;
  return work.short(names.length === 1 && name.length <= MAX_SHORT_NAME ? name : work.anything);
}

const baseLanguage = (locale) => locale.split("-")[0].toLowerCase();

// Systems may give the browser a name that `Intl` rejects, such as `en-US@posix`.
function isValid(locale) {
  try {
    return Intl.getCanonicalLocales(locale).length > 0;
  } catch {
    return false;
  }
}
