// What the page has chosen, on the tag that brings this script, and the way to tell it what happens.

const choices = tag?.dataset ?? {};

// Where the session lives: at the root, or (`SESSION_SCOPE=tab`) under a path of this tab's own.
const tabPath = /^\/t\/[0-9A-Za-z]{16,64}\//.exec(location.pathname)?.[0];
const base = choices.base ?? tabPath ?? "/";

// Gives whether the page lets it happen.
function emit(name, detail, cancelable = false) {
  return dispatchEvent(new CustomEvent(`lastcall:${name}`, { detail, cancelable }));
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
