// The script's own place in the page: an element at the beginning of the body with a shadow root, which the page's styles
// do not reach. It holds the live region, and the default banner where the page brings none.

const drawsItself = choices.banner === "none";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Texts are set where they are shown; ids are those that a page's own banner has as well.
function defaultBanner() {
  const clock = element("p", { class: "clock", role: "timer", "aria-live": "off" });
  clock.append(element("span", { id: "countdown" }), " ", element("span", { id: "drain-left" }));
  const text = element("div", { class: "text" });
  text.append(element("p", { id: "drain-message" }), element("p", { id: "drain-short", "aria-hidden": "true" }), element("p", { id: "drain-until" }), element("p", { id: "drain-problem", hidden: "" }));
  const ways = element("div", { class: "ways" });
  ways.append(element("button", { id: "leave-now", type: "button", part: "button" }));
  ways.append(element("button", { id: "stay-here", type: "button", part: "button quiet-button", hidden: "" }));
  const banner = element("section", { id: "drain-banner", part: "banner", hidden: "" }, text, clock, ways);
  const reprieve = element("p", { id: "reprieve", part: "reprieve", hidden: "" });
  const over = element("section", { id: "drain-over", part: "over", hidden: "" });
  over.append(element("p", { id: "drain-over-text", tabindex: "0" }), element("button", { id: "drain-hide", type: "button", part: "button" }));
  return [banner, reprieve, over];
}

const host = element("lastcall-banner", { lang: language, dir: direction });
const shadow = host.attachShadow({ mode: "open" });
const announcer = element("div", { id: "announcer", role: "status", "aria-live": "polite" });
shadow.append(announcer);
// A sheet that is made by a script is no inline style: a strict policy lets it be.
const sheet = new CSSStyleSheet();
sheet.replaceSync(BANNER_STYLE);
shadow.adoptedStyleSheets = [sheet];
// A live region that has just come is not listened to yet.
const LISTENED_TO_AFTER_MS = 150;

// A page may replace its body, and this place with it. Gives whether it had to be put back.
function place() {
  if (host.isConnected || !document.body) return false;
  document.body.prepend(host);
  return true;
}

// Said by screen readers when they find time for it. Never takes the focus.
function say(text) {
  if (drawsItself) return;
  if (place()) setTimeout(() => (announcer.textContent = text), LISTENED_TO_AFTER_MS);
  else announcer.textContent = text;
}

place();
