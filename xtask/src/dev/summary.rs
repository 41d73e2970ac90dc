//! What is said once everything runs: what to open, what to drain, and how to end it.

use std::time::Duration;

use super::fleet::Fleet;

/// The summary. Its columns are wide enough for any number of pods.
pub(super) fn summary(fleet: &Fleet, drain_timeout: Duration) -> String {
    let mut lines = vec![String::new(), "Lastcall is ready.".to_owned(), String::new()];
    lines.push("  Open, every tab is a user of its own:".to_owned());
    for pod in fleet.pods() {
        lines.push(format!("    {:<8} {:<35} process {}", pod.name(), pod.process().url(), pod.id()));
    }
    let admin = fleet.admin();
    let url = admin.process().url();
    lines.push(String::new());
    lines.push("  Watch them:".to_owned());
    lines.push(format!("    {:<8} {:<35} process {}", admin.name(), format!("{url}/admin"), admin.id()));
    lines.push(format!("    {:<8} {url}/admin/users", ""));
    lines.push(String::new());
    lines.push("  Turn maintenance on and off for all of them at once: the panel's switch.".to_owned());
    lines.push(String::new());
    let drain_timeout = humantime::format_duration(drain_timeout);
    lines.push(format!("  Drain one while tabs of it are open; its users get {drain_timeout}:"));
    for pod in fleet.pods() {
        lines.push(format!("    {:<8} kill -TERM {}", pod.name(), pod.id()));
    }
    lines.push(String::new());
    lines.push("  Ctrl-C drains them all, once; a second Ctrl-C hurries.".to_owned());
    lines.push(String::new());
    lines.join("\n")
}
