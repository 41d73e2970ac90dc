//! The fleet in a sentence, and in figures.

use askama::Template;
use session_domain::fleet::{FleetView, PodView};

use super::super::Completeness;
use super::super::words::{self, Moment, Words};
use super::drain::{Drain, is_emptying};

/// How many, where, draining which, until when, forced so far.
#[derive(Template)]
#[template(path = "panel/summary.html")]
pub(super) struct Summary {
    known: Known,
    sessions: String,
    pods: String,
    is_complete: bool,
    emptying: Option<Emptying>,
    forced: u64,
}

/// How much of the fleet is known at all.
#[derive(Debug, PartialEq)]
enum Known {
    /// There are no pods.
    NoPods,
    /// Pods there are, but nothing was heard of any.
    Nothing,
    /// None can be reached, and none ever was.
    Unreachable,
    /// Something.
    Something,
}

/// The pods that people are asked to leave, together.
#[derive(Debug)]
struct Emptying {
    /// The name of the pod, where it is one.
    pod: Option<String>,
    pods: String,
    left: String,
    from: String,
    /// When the last of them signs out who is left.
    until: Option<(Moment, Moment)>,
}

impl Summary {
    pub(super) fn new(view: &FleetView, completeness: &Completeness, words: Words) -> Self {
        let all = completeness.all;
        let known = match view.pods().iter().filter(|pod| pod.report.is_some()).count() {
            _ if view.pods().is_empty() => Known::NoPods,
            0 if completeness.unreachable.len() == all => Known::Unreachable,
            0 => Known::Nothing,
            _ => Known::Something,
        };
        Self {
            known,
            sessions: words::counted(view.total_sessions(), "session"),
            pods: completeness.pods(),
            is_complete: completeness.known == all,
            emptying: Emptying::of(view, words),
            forced: view.counters().forced_logouts,
        }
    }
}

impl Emptying {
    fn of(view: &FleetView, words: Words) -> Option<Self> {
        let pods: Vec<_> = view.pods().iter().filter(|pod| is_emptying(pod)).collect();
        let drains = || pods.iter().filter_map(|pod| Drain::of(pod));
        let until = drains().filter_map(|drain| drain.deadline).max();
        let pod = match pods.as_slice() {
            [] => return None,
            [pod] => Some(PodView::label(pod).to_owned()),
            _ => None,
        };
        Some(Self {
            pod,
            pods: words::count(pods.len()),
            left: words::count(drains().map(|drain| drain.left).sum::<u64>()),
            from: words::count(drains().map(|drain| drain.from).sum::<u64>()),
            until: until.map(|at| (words::clock(at), words.left(at))),
        })
    }
}

/// The figures.
#[derive(Template)]
#[template(path = "panel/figures.html")]
pub(super) struct Figures {
    sessions: String,
    pods: String,
    is_complete: bool,
    draining: usize,
    graceful: String,
    forced: String,
    logins: String,
}

impl Figures {
    pub(super) fn new(view: &FleetView, completeness: &Completeness) -> Self {
        let counters = view.counters();
        let Completeness { known, all, .. } = completeness;
        Self {
            sessions: words::count(view.total_sessions()),
            pods: if known == all { all.to_string() } else { format!("{known} of {all}") },
            is_complete: known == all,
            draining: view.pods().iter().filter(|pod| is_emptying(pod)).count(),
            graceful: words::count(counters.graceful_logouts),
            forced: words::count(counters.forced_logouts),
            logins: words::count(counters.logins),
        }
    }
}
