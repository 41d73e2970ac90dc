//! The fleet in a sentence, and in figures.

use askama::Template;
use fleet::{FleetView, PodView};

use super::super::Completeness;
use super::super::words::{self, Moment, Words};
use super::drain::{Drain, is_emptying};

/// How many, where, draining which, until when, forced so far.
#[derive(Template)]
#[template(path = "panel/summary.html")]
pub(super) struct Summary {
    known: Known,
    present: String,
    /// Sessions that are held and not present, where there are any.
    idle: Option<String>,
    pods: String,
    is_complete: bool,
    emptying: Option<Emptying>,
    /// Sessions that were force-closed so far, and signed out by their own page.
    forced: u64,
    by_page: u64,
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
    /// Sessions on them that are not present, where there are any.
    idle: Option<String>,
    /// When the last countdown ends.
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
        let counters = view.counters();
        Self {
            known,
            present: words::counted(view.present_sessions(), "session"),
            idle: words::some(view.idle_sessions()),
            pods: completeness.pods(),
            is_complete: completeness.known == all,
            emptying: Emptying::of(view, words),
            forced: counters.forced_logouts,
            by_page: counters.auto_logouts,
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
            idle: words::some(pods.iter().filter_map(|pod| pod.idle_sessions()).sum()),
            until: until.map(|at| (words::clock(at), words.left(at))),
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
            present: words::count(view.present_sessions()),
            idle: words::count(view.idle_sessions()),
            pods: if known == all { all.to_string() } else { format!("{known} of {all}") },
            is_complete: known == all,
            draining: view.pods().iter().filter(|pod| is_emptying(pod)).count(),
            own_logouts: words::count(counters.own_logouts()),
            by_page: words::count(counters.auto_logouts),
            is_by_page: counters.auto_logouts > 0,
            forced: words::count(counters.forced_logouts),
            is_forced: counters.forced_logouts > 0,
            moved: words::count(counters.moved),
            logins: words::count(counters.logins),
        }
    }
}
