// The elements of the default banner, for a page that brings none. Their ids are those that a page's own banner may use. The texts
// are set where they are shown.

import { element } from "./element.js";

// Returns the banner, the message that the notice was cancelled, and the message at the end of the session.
export function createDefaultBanner() {
  const text = element(
    "div",
    { class: "text" },
    element("p", { id: "drain-message" }),
    element("p", { id: "drain-short", "aria-hidden": "true" }),
    element("p", { id: "drain-until" }),
    element("p", { id: "drain-problem", hidden: "" }),
  );
  const clock = element(
    "p",
    { class: "clock", role: "timer", "aria-live": "off" },
    element("span", { id: "countdown" }),
    " ",
    element("span", { id: "drain-left" }),
  );
  const buttons = element(
    "div",
    { class: "buttons" },
    element("button", { id: "leave-now", type: "button", part: "button" }),
    element("button", { id: "stay-here", type: "button", part: "button quiet-button", hidden: "" }),
  );
  // Their signs are drawn by the style sheet, their names are set where they are shown.
  const places = element(
    "div",
    { class: "places" },
    element("button", { id: "drain-move", type: "button", part: "place-button" }),
    element("button", { id: "drain-fold", type: "button", part: "place-button" }),
  );
  return [
    element("section", { id: "drain-banner", part: "banner", hidden: "" }, text, clock, buttons, places),
    element("p", { id: "reprieve", part: "reprieve", hidden: "" }),
    element(
      "section",
      { id: "drain-over", part: "over", hidden: "" },
      element("p", { id: "drain-over-text", tabindex: "0" }),
      element("button", { id: "drain-hide", type: "button", part: "button" }),
    ),
  ];
}
