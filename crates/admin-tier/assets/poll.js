// Keeps a page true that has no event stream: asks for it again, as the browser would by itself without scripts.

import { isHeld } from "./hold.js";
import { asOf, stand } from "./live.js";
import { morph } from "./swap.js";
import { draw } from "./times.js";

async function renew() {
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(10_000) });
    // Signed out, or for too long here: the page itself leads to the sign-in and back.
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (isHeld()) return;
    asOf(fresh.querySelector("#freshness time").dateTime);
    draw(fresh);
    morph(document.querySelector("main"), document.importNode(fresh.querySelector("main"), true));
    stand("");
  } catch {
    stand("The admin tier does not answer; trying again.", true);
  }
}

/** Renews the page every so many seconds while it is looked at. */
export function poll(seconds) {
  const again = async () => {
    if (!document.hidden) await renew();
    setTimeout(again, seconds * 1000);
  };
  document.addEventListener("visibilitychange", () => document.hidden || renew());
  setTimeout(again, seconds * 1000);
}
