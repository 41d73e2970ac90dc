//! The summary once everything runs: what to open, how to drain each pod, and how to stop.

use std::net::SocketAddr;
use std::time::Duration;

use super::fleet::Fleet;

/// The summary. Its columns are wide enough for any number of pods.
pub(super) fn summary(
    fleet: &Fleet,
    front_door: SocketAddr,
    drain_timeout: Duration,
    is_handoff: bool,
    upstream: Option<&str>,
) -> String {
    let row = |name: &str, url: &str, process: u32| format!("    {name:<10} {url:<35} process {process}");
    let mut lines = vec![String::new(), "Lastcall is ready.".to_owned(), String::new()];
    lines.push(match upstream {
        None => "  Open this address. Every tab is a user of its own:".to_owned(),
        Some(url) => format!("  Open this address instead of your app's ({url}). Every browser is a user; a private window is another one:"),
    });
    lines.push(row("front door", &format!("http://localhost:{}", front_door.port()), std::process::id()));
    lines.push(String::new());
    let routed = if upstream.is_some() { "browser" } else { "tab" };
    lines.push(format!("  It routes each {routed} to one of these pods, and to another one when that pod has gone:"));
    lines.extend(fleet.pods().iter().map(|pod| row(pod.name(), &pod.process().url(), pod.id())));
    lines.push(String::new());
    lines.push("  Watch them:".to_owned());
    let admin = fleet.admin();
    let url = admin.process().url();
    lines.push(row(admin.name(), &format!("{url}/admin"), admin.id()));
    lines.push(format!("    {:<10} {url}/admin/users", ""));
    lines.push(String::new());
    lines.push("  Turn maintenance on and off for all of them at once: the panel's switch.".to_owned());
    lines.push(String::new());
    let seconds = drain_timeout.as_secs_f64();
    let which = if upstream.is_some() { "that the admin tier lists you on" } else { "that your page names" };
    lines.push(if is_handoff {
        format!("  Stop the pod {which}; its pages move to another pod and stay as they are:")
    } else {
        format!("  Drain the pod {which}; its users get {seconds}s:")
    });
    lines.extend(fleet.pods().iter().map(|pod| format!("    {:<10} kill -TERM {}", pod.name(), pod.id())));
    if !is_handoff {
        lines.push(String::new());
        lines.push(
            "  To see sessions move to another pod instead, without a countdown: cargo xtask dev --handoff".to_owned(),
        );
    }
    lines.push(String::new());
    lines.push("  Ctrl-C drains them all, once; a second Ctrl-C hurries.".to_owned());
    lines.push(String::new());
    lines.join("\n")
}
