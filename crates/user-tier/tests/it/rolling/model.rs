//! Compares the pods' counters with the users' observations.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use test_support::metric;
use tokio::time::sleep;

use super::ForcedEnd;
use super::fleet::Fleet;
use super::journal::{End, Journal, Stream};

/// How long counters may take to agree once all activity has ended.
const SETTLES_WITHIN: Duration = Duration::from_secs(15);
/// A pod that serves the stream of a draining pod's session may adopt the session at once, instead of passing the notice on.
const MOVES_WITHIN: Duration = Duration::from_secs(4);
/// How often a user's stream may be opened while one pod owns the session: a page opens one before and one after its sign-in, one where its user
/// comes back after a drain, and one more for each of two other pods that serve the stream as a guest's and exit.
const STREAMS_A_POD: usize = 5;

/// What one pod has counted.
#[derive(Clone, Debug)]
struct Counted {
    pod: String,
    drained: bool,
    logins: f64,
    adopted: f64,
    active: f64,
    graceful: f64,
    outcomes: BTreeMap<&'static str, f64>,
    /// The number of force-closed sessions according to its log.
    force_closed: f64,
}

impl Counted {
    fn new(pod: &str, page: &str, drain_log: Option<&[String]>) -> Self {
        let ends = ["logout", "auto_logout", "forced", "expired", "moved"];
        let value = |series: &str| metric(page, series).unwrap_or_else(|| panic!("{pod}: no {series} in:\n{page}"));
        let outcome = |outcome| value(&format!("lastcall_session_ends_total{{outcome=\"{outcome}\"}}"));
        Self {
            pod: pod.to_owned(),
            drained: drain_log.is_some(),
            logins: value("total_logins"),
            adopted: value("lastcall_sessions_adopted_total"),
            active: value("active_sessions_total"),
            graceful: value("graceful_logouts_total"),
            outcomes: ends.into_iter().map(|name| (name, outcome(name))).collect(),
            force_closed: drain_log.unwrap_or_default().iter().filter_map(|line| force_closed(line)).sum(),
        }
    }

    fn ended(&self) -> f64 {
        self.outcomes.values().sum()
    }
}

/// `[GRACEFUL SHUTDOWN] Force-closing 1 remaining session...`
fn force_closed(line: &str) -> Option<f64> {
    line.split_once("Force-closing ")?.1.split(' ').next()?.parse().ok()
}

/// Gives everything that is not as it has to be. Prints what was counted, drain by drain.
pub(super) async fn compare(journals: &[Journal], fleet: &mut Fleet, forced_end: ForcedEnd) -> Vec<String> {
    let until = Instant::now() + SETTLES_WITHIN;
    let (counted, books) = loop {
        let mut counted: Vec<Counted> =
            fleet.gone.iter().map(|gone| Counted::new(&gone.name, &gone.metrics, Some(&gone.drain_log))).collect();
        for running in &fleet.running {
            let page = running.pod.person().text("/metrics").await;
            counted.push(Counted::new(&running.name, &page, None));
        }
        let books = [per_pod(&counted, journals, forced_end), in_all(&counted, journals)].concat();
        if books.is_empty() || Instant::now() > until {
            break (counted, books);
        }
        sleep(Duration::from_millis(200)).await;
    };
    let drained: BTreeMap<&str, Instant> =
        fleet.gone.iter().map(|gone| (gone.name.as_str(), gone.terminated_at)).collect();
    report(&counted, journals, &drained);
    let seen = journals.iter().flat_map(|journal| experiences(journal, &drained, forced_end));
    seen.chain(books).collect()
}

/// Each session that a user left, or that was ended by force, is counted by the pod that owned it; nothing else ends. Of the sessions that
/// pages left, some may have moved on a moment before, see [`in_all`].
fn per_pod(counted: &[Counted], journals: &[Journal], forced_end: ForcedEnd) -> Vec<String> {
    let mut violations = Vec::new();
    for pod in counted {
        let seen = |end| ends(journals, end, Some(&pod.pod));
        let (left, forced) = (seen(End::AutoLogout), seen(End::Forced));
        let mut equal = |what: &str, counted: f64, expected: f64| {
            if counted != expected {
                violations.push(format!("{}: {what} is {counted}, the model says {expected}", pod.pod));
            }
        };
        equal("logins + adopted - active - ended", pod.logins + pod.adopted - pod.active - pod.ended(), 0.0);
        let counted = pod.outcomes["auto_logout"];
        equal("auto_logout", counted, counted.clamp(left - left_by_pages(journals, Some(&pod.pod)), left));
        equal("graceful", pod.graceful, counted);
        equal("forced", pod.outcomes["forced"], forced);
        equal("expired", pod.outcomes["expired"], 0.0);
        if pod.drained {
            equal("sessions held at the exit", pod.active, 0.0);
        }
        // With `release` the log counts sessions that move.
        if pod.drained && forced_end == ForcedEnd::Delete {
            equal("forced in the log", pod.force_closed, forced);
        }
    }
    violations
}

/// Over all pods each session starts once, and ends once or is still active; each move is counted on both sides.
///
/// The pod closes the WebSocket of a page at a moment of its own in the last seconds. Where the page opens it again at another pod, its
/// session moves there. A page that signs out by itself within the same tenths of a second ends a session that knows of no notice: a plain
/// logout.
fn in_all(counted: &[Counted], journals: &[Journal]) -> Vec<String> {
    let sum = |field: fn(&Counted) -> f64| counted.iter().map(field).sum::<f64>();
    let sessions = journals.iter().map(|journal| journal.sessions.len()).sum::<usize>() as f64;
    let outcome = |name: &'static str| counted.iter().map(|pod| pod.outcomes[name]).sum::<f64>();
    let left = ends(journals, End::AutoLogout, None);
    let living = journals.iter().filter(|journal| journal.current().is_some()).count() as f64;
    let pairs = [
        ("total_logins", sum(|pod| pod.logins), sessions),
        ("active sessions", sum(|pod| pod.active), living),
        ("moved - adopted", sum(|pod| pod.outcomes["moved"]) - sum(|pod| pod.adopted), 0.0),
        ("auto_logout and logout", outcome("auto_logout") + outcome("logout"), left),
        ("logout", outcome("logout"), outcome("logout").min(left_by_pages(journals, None))),
        ("forced", sum(|pod| pod.outcomes["forced"]), ends(journals, End::Forced, None)),
    ];
    let wrong = pairs.into_iter().filter(|(_, counted, expected)| counted != expected);
    wrong.map(|(what, counted, expected)| format!("all pods: {what} is {counted}, the model says {expected}")).collect()
}

/// How many sessions ended like this, at this pod or at any.
fn ends(journals: &[Journal], end: End, pod: Option<&str>) -> f64 {
    let all = journals.iter().flat_map(|journal| &journal.sessions).filter_map(|session| session.end.as_ref());
    all.filter(|(how, at)| *how == end && pod.is_none_or(|pod| pod == at)).count() as f64
}

/// How many sessions the users of pages left, at this pod or at any.
fn left_by_pages(journals: &[Journal], pod: Option<&str>) -> f64 {
    let pages: Vec<_> = journals.iter().filter(|journal| journal.is_page).cloned().collect();
    ends(&pages, End::AutoLogout, pod)
}

/// What a user must not have seen. `drained` has the moment of each pod's SIGTERM.
fn experiences(journal: &Journal, drained: &BTreeMap<&str, Instant>, forced_end: ForcedEnd) -> Vec<String> {
    let mut violations = journal.failures.clone();
    let user = &journal.user;
    let mut opened: BTreeMap<&str, usize> = BTreeMap::new();
    for stream in &journal.streams {
        let pod = stream.pod.as_str();
        *opened.entry(pod).or_default() += 1;
        if drained.get(pod).is_some_and(|at| was_open(stream, *at)) && stream.drains.is_empty() {
            violations.push(format!("{user}: had a stream open when {pod} got SIGTERM, and no notice"));
        }
        if stream.drains.iter().any(|auto_logout| *auto_logout != (forced_end == ForcedEnd::Delete)) {
            violations.push(format!("{user}: auto_logout of the drain of {pod} is wrong for {forced_end:?}"));
        }
    }
    for (pod, times) in opened.into_iter().filter(|(_, times)| *times > STREAMS_A_POD) {
        violations.push(format!("{user}: the stream was opened {times} times while {pod} owned the session"));
    }
    if forced_end == ForcedEnd::Release && journal.sessions.len() > 1 {
        violations.push(format!("{user}: was signed out {} times", journal.sessions.len() - 1));
    }
    violations
}

/// Whether a stream was open at this moment and for a while after it.
fn was_open(stream: &Stream, at: Instant) -> bool {
    stream.opened < at && stream.closed.is_none_or(|closed| closed > at + MOVES_WITHIN)
}

/// When a stream was opened and closed.
fn times(stream: &Stream, began: Instant) -> String {
    let seconds = |at: Instant| format!("{:.1}", at.saturating_duration_since(began).as_secs_f64());
    format!("{}-{}", seconds(stream.opened), stream.closed.map(seconds).unwrap_or_default())
}

#[allow(clippy::print_stdout, reason = "the figures, for those who run it with --no-capture")]
fn report(counted: &[Counted], journals: &[Journal], drained: &BTreeMap<&str, Instant>) {
    let began = journals.iter().map(|journal| journal.began).min().unwrap();
    for pod in counted {
        let since = |at: &Instant| at.saturating_duration_since(began).as_secs_f64();
        let state =
            drained.get(pod.pod.as_str()).map_or("running".to_owned(), |at| format!("drained at {:.1}s", since(at)));
        println!(
            "{} {state}: logins {} adopted {} active {} graceful {} {:?} force-closed in the log {}; seen: left {} forced {}",
            pod.pod,
            pod.logins,
            pod.adopted,
            pod.active,
            pod.graceful,
            pod.outcomes,
            pod.force_closed,
            ends(journals, End::AutoLogout, Some(&pod.pod)),
            ends(journals, End::Forced, Some(&pod.pod)),
        );
    }
    for journal in journals {
        let ends: Vec<_> = journal.sessions.iter().filter_map(|session| session.end.as_ref()).collect();
        let pods: Vec<_> = journal
            .streams
            .iter()
            .map(|stream| format!("{} {}: {}", times(stream, began), stream.pod, stream.drains.len()))
            .collect();
        println!(
            "{}: {} requests, {} repeated, {} failed; ends {ends:?}; streams (opened, pod, notices) {pods:?}",
            journal.user,
            journal.requests,
            journal.repeated,
            journal.failures.len(),
        );
    }
    let sum = |count: fn(&Journal) -> u64| journals.iter().map(count).sum::<u64>();
    println!(
        "{} requests, {} repeated, {} failed, {} sessions lost, {} notices seen",
        sum(|journal| journal.requests),
        sum(|journal| journal.repeated),
        sum(|journal| journal.failures.len() as u64),
        ends(journals, End::Lost, None),
        sum(|journal| journal.streams.iter().map(|stream| stream.drains.len() as u64).sum()),
    );
}
