//! What operators did of late, as the panel lists it.

use askama::Template;

use super::words::{self, Moment};
use crate::audit::{Deed, Entry};

/// The list, the newest first.
#[derive(Template)]
#[template(path = "audit.html")]
pub(super) struct Deeds {
    lines: Vec<Line>,
}

/// An entry, in words.
struct Line {
    at: Moment,
    /// Who, and where from.
    who: String,
    from: String,
    what: &'static str,
    object: Option<String>,
    failure: Option<String>,
    /// How often, where it was more than once.
    times: Option<u32>,
}

impl Deeds {
    pub(super) fn new<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        Self { lines: entries.into_iter().map(line).collect() }
    }
}

fn line(entry: &Entry) -> Line {
    let who = entry.operator.as_ref().map_or("somebody", |(name, _)| name);
    let how = entry.operator.as_ref().map_or("unknown", |(_, how)| how);
    Line {
        at: words::clock(entry.at),
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
        (Deed::MaintenanceOn, false) => "turned maintenance on in",
        (Deed::MaintenanceOn, true) => "could not turn maintenance on in",
        (Deed::MaintenanceOff, false) => "turned maintenance off in",
        (Deed::MaintenanceOff, true) => "could not turn maintenance off in",
        (Deed::SignedIn, false) => "signed in",
        (Deed::SignedIn, true) => "was refused at the sign-in",
        (Deed::SignedOut, false) => "signed out",
        (Deed::SignedOut, true) => "could not be signed out",
        (Deed::Exported, false) => "exported",
        (Deed::Exported, true) => "could not export",
        (Deed::PodForgotten, false) => "forgot the silent pod",
        (Deed::PodForgotten, true) => "could not forget the pod",
    }
}
