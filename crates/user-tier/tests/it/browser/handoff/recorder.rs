//! Records what a page shows and does while its session moves.

use serde_json::Value;
use test_support::{Browser, eventually};

/// Makes `record`: each thing that users could notice, the library's events, and the event streams.
pub(super) const SCRIPT: &str = r##"
window.record = { seen: [], events: [], streams: [] };
record.forget = () => {
    record.seen.length = record.events.length = 0;
    record.streams.splice(0, record.streams.length - 1);
};
for (const name of ["moving", "moved", "drain", "state", "session-ended"])
    addEventListener(`lastcall:${name}`, ({ detail }) => record.events.push([name, detail]));
window.EventSource = class extends EventSource {
    constructor(...way) {
        super(...way);
        const stream = { opened: performance.now(), connected: null, ended: null, pod: null };
        record.streams.push((this.record = stream));
        this.addEventListener("connected", ({ data }) => {
            stream.connected = performance.now();
            stream.pod = JSON.parse(data).pod;
        });
        this.addEventListener("error", () => (stream.ended ??= performance.now()));
    }
    close() {
        this.record.ended ??= performance.now();
        super.close();
    }
};
// The time without a stream between each two that stayed.
record.gaps = () => {
    const stayed = record.streams.filter(({ connected, ended }) => connected && (ended === null || ended - connected > 1000));
    return stayed.slice(1).map(({ connected }, n) => Math.round(connected - stayed[n].ended));
};
addEventListener("DOMContentLoaded", () => {
    const note = (what, text) => record.seen.push(`${what}: ${text}`);
    const watch = (css, options, read) => {
        const node = document.querySelector(css);
        let last = read(node);
        new MutationObserver(() => last !== (last = read(node)) && note(css, last)).observe(node, options);
    };
    const text = { childList: true, characterData: true, subtree: true };
    watch("title", text, (node) => node.textContent);
    watch("#connection", text, (node) => node.textContent);
    watch("#chat [role=status]", text, (node) => node.textContent);
    watch("#drain-banner", { attributes: true, attributeFilter: ["hidden"] }, (node) => `hidden ${node.hidden}`);
    for (const name of ["focusout", "scroll"])
        document.addEventListener(name, () => note(name, scrollY), { capture: true });
});
"##;

/// What a user could have noticed since the last call.
pub(super) async fn seen(browser: &Browser) -> Value {
    browser.run("return record.seen.splice(0)").await
}

/// Where the page is, once it says that it has moved away from `from`.
async fn moved_to(browser: &Browser, from: &str) -> Option<String> {
    let script = format!(
        "return record.events.filter(([name, {{ from }}]) => name === 'moved' && from === '{from}').at(-1)?.[1].pod ?? null"
    );
    browser.run(&script).await.as_str().map(str::to_owned)
}

/// Waits until the page says that it has moved away from `from`, and returns where it is.
pub(super) async fn moved(browser: &Browser, from: &str) -> String {
    eventually("the move", || moved_to(browser, from)).await
}

/// Where the stream is, once it is no longer at `from`.
pub(super) async fn connected_to(browser: &Browser, from: &str) -> Option<String> {
    let pod = browser.run("return record.streams.at(-1).pod").await;
    pod.as_str().filter(|pod| *pod != from).map(str::to_owned)
}

/// How often an event came.
pub(super) async fn count(browser: &Browser, event: &str) -> u64 {
    let script = format!("return record.events.filter(([name]) => name === '{event}').length");
    browser.run(&script).await.as_u64().unwrap()
}
