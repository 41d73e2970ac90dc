//! The list of pods, grouped by revision where there are several, each group under a heading that says whether the revision can go.

use std::collections::HashMap;

use askama::Template;
use fleet::{FleetView, PodView, PodWork, Removal, RevisionView};

use super::card::{PodCard, work_in_words};
use crate::format;

/// A member of the list of pods.
#[derive(Template)]
#[template(
    source = "{% match self %}{% when Self::Heading with (heading) %}{{ heading|safe }}{% when Self::Card with (card) %}{{ card|safe }}{% endmatch %}",
    ext = "html"
)]
pub(super) enum ListItem {
    /// The heading of a group.
    Heading(RevisionHeading),
    /// A pod.
    Card(Box<PodCard>),
}

/// The heading of the pods of one revision.
#[derive(Template)]
#[template(path = "panel/revision.html")]
pub(super) struct RevisionHeading {
    id: String,
    /// The revision; empty if its pods report none.
    name: String,
    pods: String,
    has_pods: bool,
    present: String,
    /// The number of idle sessions, where there are any.
    idle: Option<String>,
    work: Vec<String>,
    is_newest: bool,
    removal: Removal,
}

/// Lists the pods: those that need attention come first, within each revision where there are several. Pods whose revision is not
/// known yet come before all groups, the newest revision before the others.
pub(super) fn list(view: &FleetView, card: impl Fn(&PodView) -> PodCard) -> Vec<(String, ListItem)> {
    let revisions = view.revisions();
    let is_grouped = revisions.len() > 1;
    let places: HashMap<&str, usize> =
        revisions.iter().zip(1..).map(|(revision, place)| (revision.revision.as_str(), place)).collect();
    let place = |pod: &PodView| match pod.report {
        Some(_) if is_grouped => places.get(pod.revision().unwrap_or_default()).copied().unwrap_or(0),
        Some(_) | None => 0,
    };
    let mut cards: Vec<_> = view.pods().iter().map(|pod| (place(pod), card(pod))).collect();
    cards.sort_by(|(place, one), (other_place, other)| {
        (place, one.rank, &one.name, &one.id).cmp(&(other_place, other.rank, &other.name, &other.id))
    });
    let mut items = Vec::new();
    let mut group = 0;
    for (place, card) in cards {
        if place != group {
            group = place;
            let heading = RevisionHeading::new(&revisions[place - 1]);
            items.push((heading.id.clone(), ListItem::Heading(heading)));
        }
        items.push((card.id.clone(), ListItem::Card(Box::new(card))));
    }
    items
}

impl RevisionHeading {
    fn new(revision: &RevisionView) -> Self {
        let work = PodWork { protected: revision.protected, websockets: revision.websockets };
        Self {
            id: format!("revision-{}", revision.revision),
            name: revision.revision.clone(),
            pods: format::counted(revision.pods, "pod"),
            has_pods: revision.pods > 0,
            present: format::counted(revision.present_sessions, "session"),
            idle: format::nonzero_count(revision.sessions.saturating_sub(revision.present_sessions)),
            work: work_in_words(work),
            is_newest: revision.is_newest,
            removal: revision.removal,
        }
    }
}
