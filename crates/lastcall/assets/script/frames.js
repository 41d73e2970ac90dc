// Pages within frames: the banner is shown once, by the outermost page that can show it.

// Whether a page around this one shows the banner. A frameset has no body to show it in, and pages of other origins cannot be asked.
export function isShownAround() {
  for (let frame = window; frame.parent !== frame; ) {
    frame = frame.parent;
    try {
      const { body } = frame.document;
      if (body?.localName !== "frameset" && frame.document.querySelector('script[src*="/assets/lastcall.js"]')) return true;
    } catch {
      // Another origin.
    }
  }
  return false;
}
