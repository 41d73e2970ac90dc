// What of a page lies under the banner, and whether it can be scrolled out from under it.

// What a user may need to reach. Frames and drawings may contain anything.
const CONTROLS =
  "a[href], button, input, select, textarea, summary, label, iframe, object, embed, canvas, video, [role=button], [role=link], [role=tab], [role=menuitem], [role=checkbox], [role=switch], [tabindex]:not([tabindex='-1']), [contenteditable]:not([contenteditable=false]), [onclick]";

const STEP_PX = 16;
const ROWS = [0.1, 0.5, 0.9];

const parentOf = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host ?? null;

function* ancestors(element) {
  for (let node = element; node && node !== document.documentElement; node = parentOf(node)) yield node;
}

// The elements of the page at a point, one behind the other: the app may have put a shade over its controls. Those in front also within
// shadow roots.
function elementsAt(x, y) {
  const found = document.elementsFromPoint(x, y);
  for (let root = found[0]?.shadowRoot; root; ) {
    const [inner] = root.elementsFromPoint(x, y);
    if (!inner || found.includes(inner)) break;
    found.unshift(inner);
    root = inner.shadowRoot;
  }
  return found;
}

// The elements of the page under the banner, whose element is `host`.
export function elementsUnder(host) {
  const { left, right, top, bottom, height } = host.getBoundingClientRect();
  const found = new Set();
  host.toggleAttribute("data-looking", true);
  for (let x = Math.max(left, 0) + STEP_PX / 4; x < Math.min(right, innerWidth); x += STEP_PX) {
    for (const row of ROWS) {
      const y = top + height * row;
      if (y >= 0 && y < Math.min(bottom, innerHeight)) elementsAt(x, y).forEach((element) => found.add(element));
    }
  }
  host.toggleAttribute("data-looking", false);
  for (const none of [host, document.body, document.documentElement]) found.delete(none);
  return [...found];
}

const isControl = (element) =>
  [...ancestors(element)].some((node) => node !== document.body && node.matches?.(CONTROLS)) || getComputedStyle(element).cursor === "pointer";

export function closestFixed(element) {
  return [...ancestors(element)].findLast((node) => getComputedStyle(node).position === "fixed") ?? null;
}

// Whether an element under a banner at the top stays there when the page is scrolled to its beginning.
function isPinned(element, height) {
  for (const node of ancestors(element)) if (["fixed", "sticky"].includes(getComputedStyle(node).position)) return true;
  return element.getBoundingClientRect().top + scrollY + (document.body.scrollTop || 0) < height - 1;
}

// Whether the banner, which is at the top, covers something that users may need and cannot scroll out from under it.
export function coversControls(host) {
  const { height } = host.getBoundingClientRect();
  return elementsUnder(host).some((element) => isControl(element) && isPinned(element, height));
}

// Whether an element scrolls what it contains. What the body says counts for the window, unless the root says something itself.
export const canScroll = (element) =>
  ["auto", "scroll"].includes(getComputedStyle(element).overflowY) && (element !== document.body || getComputedStyle(document.documentElement).overflowY !== "visible");

// Whether users can scroll the window.
function windowScrolls() {
  const { overflowY } = getComputedStyle(document.documentElement);
  return !["hidden", "clip"].includes(overflowY === "visible" ? getComputedStyle(document.body).overflowY : overflowY);
}

const isLonger = (element) => element.scrollHeight > element.clientHeight + 1;

export function rootScrolls() {
  return windowScrolls() && isLonger(document.documentElement);
}

// Whether the banner, in the flow of the page, has pushed something out of the window for good; or out of a page that filled the window
// exactly, which should fill it again.
export function pushesOut(height) {
  const { documentElement: root, body } = document;
  if (!windowScrolls() && (isLonger(root) || (isLonger(body) && !canScroll(body)))) return true;
  if (root.scrollHeight > root.clientHeight + height + 1 || !isLonger(root)) return false;
  const fills = (node) => {
    const { minHeight } = getComputedStyle(node);
    return node !== body && Math.abs(node.getBoundingClientRect().height - innerHeight) <= 1 && minHeight !== "100%" && !(Number.parseFloat(minHeight) >= innerHeight - 1);
  };
  return [0.25, 0.5, 0.75].some((part) => elementsAt(innerWidth * part, (innerHeight + height) / 2).some(fills));
}
