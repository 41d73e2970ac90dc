// Browser events that suspend, resume or show a page.

// Registers handlers. A page in the back/forward cache, or a frozen one, must not hold a stream, so it is suspended; when it
// resumes, its state may be out of date.
export function onPageLifecycle({ suspend, resume, offline, online, visible }) {
  addEventListener("pagehide", suspend);
  addEventListener("pageshow", (event) => event.persisted && resume());
  document.addEventListener("freeze", suspend);
  document.addEventListener("resume", resume);
  addEventListener("offline", offline);
  addEventListener("online", online);
  document.addEventListener("visibilitychange", () => document.hidden || visible());
}
