// Reports a page whose content security policy forbids the script's connection: its users see no notice, and operators have to know.
//
// The same policy mostly forbids `fetch`, too, and leaves a form. The answer to a form has no content, so nothing is navigated.

const FRAME = "lastcall-blocked";
// The answer to the form cannot be observed.
const REMOVE_AFTER_MS = 10_000;

// Calls `onBlocked` and reports, once, if the policy forbids the event stream below `routes`.
export function watchPolicy(routes, onBlocked) {
  const stream = new URL(`${routes}events`, document.baseURI).href;
  document.addEventListener("securitypolicyviolation", function handle(event) {
    if (event.disposition !== "enforce" || event.effectiveDirective !== "connect-src" || event.blockedURI !== stream) return;
    document.removeEventListener("securitypolicyviolation", handle);
    onBlocked();
    report(`${routes}blocked`);
  });
}

async function report(address) {
  try {
    await fetch(address, { method: "POST", keepalive: true });
  } catch {
    reportByForm(address);
  }
}

function reportByForm(address) {
  const frame = Object.assign(document.createElement("iframe"), { name: FRAME, hidden: true });
  const form = Object.assign(document.createElement("form"), { method: "post", action: address, target: FRAME, hidden: true });
  document.documentElement.append(frame, form);
  form.submit();
  setTimeout(() => {
    frame.remove();
    form.remove();
  }, REMOVE_AFTER_MS);
}
