// A page that has to wait: asks again by itself, every `data-again` seconds (on the tag, or on anything else), and not at the same moment
// as everybody else.

const pause = Number(document.querySelector("[data-again]")?.dataset.again || 2) * 1000;

async function again() {
  try {
    // Only the head: looking must not start a session. A way to somewhere else is as good as a page.
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", cache: "no-store" });
    if (answer.status !== 503) return location.reload();
  } catch {
    // Nobody answers: that is what waiting is for.
  }
  setTimeout(again, pause * (0.75 + Math.random() / 2));
}

setTimeout(again, pause * (0.5 + Math.random()));
