//! The fleet in a sentence, and in figures.

use askama::Template;
use fleet::{FleetView, PodView, PodWork};

use super::card::work_in_words;
use super::drain_progress::{Deadline, DrainProgress, is_draining};
use crate::format;
use crate::pages::completeness::Completeness;
use crate::pages::relative_time::TimeRendering;

/// The sentence: sessions, pods, what is draining until when, and how many users were forced out.
#[derive(Template)]
#[template(path = "panel/summary.html")]
pub(super) struct Summary {
    known: Known,
    present: String,
    /// The number of idle sessions, where there are any.
    idle: Option<String>,
    pods: String,
    is_complete: bool,
    draining: Option<Draining>,
    /// How many sessions were force-closed, and how many were signed out by their own page.
    forced: u64,
    by_page: u64,
}

/// How much of the fleet is known.
#[derive(Debug, PartialEq)]
enum Known {
    /// There are no pods.
    NoPods,
    /// No pod has reported yet.
    Nothing,
    /// No pod can be reached, and none has ever reported.
    Unreachable,
    /// At least one pod has reported.
    Something,
}

/// All draining pods together.
struct Draining {
    /// The name of the pod, where it is the only one.
    pod: Option<String>,
    pods: String,
    remaining: String,
    initial: String,
    /// The number of idle sessions on these pods, where there are any.
    idle: Option<String>,
    /// What users on these pods are in the middle of.
    work: Vec<String>,
    /// When the last countdown ends: the time, and the time left.
    deadline: Option<Deadline>,
}

impl Summary {
    pub(super) fn new(view: &FleetView, completeness: &Completeness, times: TimeRendering) -> Self {
        let all = completeness.all;
        let known = match view.pods().iter().filter(|pod| pod.report.is_some()).count() {
            _ if view.pods().is_empty() => Known::NoPods,
            0 if completeness.unreachable.len() == all => Known::Unreachable,
            0 => Known::Nothing,
            _ => Known::Something,
        };
        let counters = view.counters();
        Self {
            known,
            present: format::counted(view.present_sessions(), "session"),
            idle: format::nonzero_count(view.idle_sessions()),
            pods: completeness.pods(),
            is_complete: completeness.known == all,
            draining: Draining::new(view, times),
            forced: counters.forced_logouts,
            by_page: counters.auto_logouts,
        }
    }
}

impl Draining {
    fn new(view: &FleetView, times: TimeRendering) -> Option<Self> {
        let pods: Vec<_> = view.pods().iter().filter(|pod| is_draining(pod)).collect();
        let drains: Vec<_> = pods.iter().filter_map(|pod| DrainProgress::new(pod)).collect();
        let deadline = drains.iter().filter_map(|drain| drain.deadline).max();
        let pod = match pods.as_slice() {
            [] => return None,
            [pod] => Some(PodView::label(pod).to_owned()),
            _ => None,
        };
        Some(Self {
            pod,
            pods: format::count(pods.len()),
            remaining: format::count(drains.iter().map(|drain| drain.remaining).sum::<u64>()),
            initial: format::count(drains.iter().map(|drain| drain.initial).sum::<u64>()),
            idle: format::nonzero_count(pods.iter().filter_map(|pod| pod.idle_sessions()).sum()),
            work: work_in_words(pods.iter().filter_map(|pod| view.work(pod)).fold(PodWork::default(), PodWork::plus)),
            deadline: deadline.map(|at| Deadline::new(at, times)),
        })
    }
}

/// The figures.
#[derive(Template)]
#[template(path = "panel/figures.html")]
pub(super) struct Figures {
    present: String,
    idle: String,
    pods: String,
    is_complete: bool,
    draining: usize,
    own_logouts: String,
    by_page: String,
    is_by_page: bool,
    forced: String,
    is_forced: bool,
    moved: String,
    logins: String,
}

impl Figures {
    pub(super) fn new(view: &FleetView, completeness: &Completeness) -> Self {
        let counters = view.counters();
        let Completeness { known, all, .. } = completeness;
        Self {
            present: format::count(view.present_sessions()),
            idle: format::count(view.idle_sessions()),
            pods: if known == all { all.to_string() } else { format!("{known} of {all}") },
            is_complete: known == all,
            draining: view.pods().iter().filter(|pod| is_draining(pod)).count(),
            own_logouts: format::count(counters.own_logouts()),
            by_page: format::count(counters.auto_logouts),
            is_by_page: counters.auto_logouts > 0,
            forced: format::count(counters.forced_logouts),
            is_forced: counters.forced_logouts > 0,
            moved: format::count(counters.moved),
            logins: format::count(counters.logins),
        }
    }
}
