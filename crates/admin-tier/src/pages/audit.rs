//! What operators did of late, as the panel lists it.

use session_domain::Timestamp;

use crate::audit::{Audit, Deed, Entry};

/// An entry, in words.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    /// Who, and where from.
    pub(super) who: String,
    pub(super) from: String,
    pub(super) what: &'static str,
    pub(super) object: Option<String>,
    pub(super) failure: Option<String>,
    /// How often, where it was more than once.
    pub(super) times: Option<u32>,
}

/// The newest first.
pub(super) fn lines(audit: &Audit) -> Vec<Line> {
    audit.entries().iter().map(line).collect()
}

fn line(entry: &Entry) -> Line {
    let who = entry.operator.as_ref().map_or("somebody", |(name, _)| name);
    let how = entry.operator.as_ref().map_or("unknown", |(_, how)| how);
    Line {
        at: entry.at,
        who: who.to_owned(),
        from: format!("{}, {how}", entry.from),
        what: words(entry.deed, entry.failure.is_some()),
        object: entry.object.clone(),
        failure: entry.failure.clone(),
        times: Some(entry.times).filter(|times| *times > 1),
    }
}

const fn words(deed: Deed, failed: bool) -> &'static str {
    match (deed, failed) {
        (Deed::MaintenanceOn, false) => "turned maintenance on",
        (Deed::MaintenanceOn, true) => "could not turn maintenance on",
        (Deed::MaintenanceOff, false) => "turned maintenance off",
        (Deed::MaintenanceOff, true) => "could not turn maintenance off",
        (Deed::SignedIn, false) => "signed in",
        (Deed::SignedIn, true) => "was refused at the sign-in",
        (Deed::SignedOut, false) => "signed out",
        (Deed::SignedOut, true) => "could not be signed out",
    }
}
