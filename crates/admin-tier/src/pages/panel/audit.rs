//! The audit log on the panel.

use askama::Template;

use crate::audit::{AuditAction, AuditEntry};
use crate::operator::AuthMethod;
use crate::pages::relative_time::RelativeTime;

/// The list of actions, newest first.
#[derive(Template)]
#[template(path = "panel/audit.html")]
pub(super) struct AuditList {
    lines: Vec<AuditLine>,
}

/// An entry as text.
struct AuditLine {
    at: RelativeTime,
    operator: String,
    /// The client's address and how the operator was authenticated.
    origin: String,
    action: &'static str,
    object: Option<String>,
    failure: Option<String>,
    /// How often it occurred, where that is more than once.
    times: Option<u32>,
}

impl AuditList {
    pub(super) fn new<'a>(entries: impl IntoIterator<Item = &'a AuditEntry>) -> Self {
        Self { lines: entries.into_iter().map(line).collect() }
    }
}

fn line(entry: &AuditEntry) -> AuditLine {
    let name = entry.operator.as_ref().map_or("an operator", |(name, _)| name);
    let method = entry.operator.as_ref().map_or("unknown", |(_, method)| AuthMethod::as_str(*method));
    AuditLine {
        at: RelativeTime::clock(entry.at),
        operator: name.to_owned(),
        origin: format!("{}, {method}", entry.address),
        action: action_text(entry.action, entry.failure.is_some()),
        object: entry.object.clone(),
        failure: entry.failure.clone(),
        times: Some(entry.times).filter(|times| *times > 1),
    }
}

const fn action_text(action: AuditAction, failed: bool) -> &'static str {
    match (action, failed) {
        (AuditAction::MaintenanceOn, false) => "turned maintenance on in",
        (AuditAction::MaintenanceOn, true) => "could not turn maintenance on in",
        (AuditAction::MaintenanceOff, false) => "turned maintenance off in",
        (AuditAction::MaintenanceOff, true) => "could not turn maintenance off in",
        (AuditAction::SignedIn, false) => "signed in",
        (AuditAction::SignedIn, true) => "was refused at the sign-in",
        (AuditAction::SignedOut, false) => "signed out",
        (AuditAction::SignedOut, true) => "could not be signed out",
        (AuditAction::Exported, false) => "exported",
        (AuditAction::Exported, true) => "could not export",
        (AuditAction::PodForgotten, false) => "forgot the silent pod",
        (AuditAction::PodForgotten, true) => "could not forget the pod",
    }
}
