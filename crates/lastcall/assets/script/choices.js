// What the page has chosen, on the tag that brings this script, and the way to tell it what happens.

const choices = tag?.dataset ?? {};

// Where the session lives: at the root, or (`SESSION_SCOPE=tab`) under a path of this tab's own.
const tabPath = /^\/t\/[0-9A-Za-z]{16,64}\//.exec(location.pathname)?.[0];
const base = choices.base ?? tabPath ?? "/";

// Where the service's own routes are: the prefix in front of them (`ROUTE_PREFIX`) is in this script's own address, too.
function prefixOf(address) {
  const path = address ? new URL(address, location.href).pathname : "";
  const below = path.startsWith(base) ? path.slice(base.length) : path.slice(1);
  return /^(.*\/)?assets\/lastcall\.js$/.exec(below)?.[1] ?? "";
}
const routes = base + (choices.prefix === undefined ? prefixOf(tag?.src) : choices.prefix.replace(/^\/(.+)$/, "$1/"));

// Gives whether the page lets it happen.
function emit(name, detail, cancelable = false) {
  return dispatchEvent(new CustomEvent(`lastcall:${name}`, { detail, cancelable }));
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
