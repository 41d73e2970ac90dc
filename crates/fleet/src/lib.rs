//! All pods together: what each last said, whose sessions are where, and what can be relied on.
//!
//! [`Fleet`] has one owner, who feeds it which pods discovery names ([`DiscoveredPod`]) and what the links to them hear
//! ([`PodEvent`]), and takes a [`FleetView`] to hand out. A view never changes and costs what has changed since the one before: pods are shared by `Arc`, rows by 256
//! shards of which a change copies only its own (a 256th of all rows), and only while an older view still holds it.
//!
//! No pod is believed beyond its own affairs. What contradicts itself, or another pod, is kept out or marked, and
//! said; nothing a pod sends panics, grows without bound or changes what another pod has told.

mod bounds;
mod claims;
mod count_check;
mod discovered_pod;
mod filter;
mod history;
mod ledger;
mod listing;
mod lost;
mod pod;
mod pod_event;
mod query;
mod retention;
mod rows;
mod trend;
mod view;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use session_domain::{Departure, PodName, PodReport, SessionId, SessionView, Timestamp};

pub use bounds::{MAX_SESSIONS, MAX_SESSIONS_PER_POD};
use count_check::CountCheck;
pub use discovered_pod::{Conditions, DiscoveredPod};
pub use filter::{Filter, SessionState};
pub use history::{DrainEnd, DrainRecord, DrainedSession, MAX_DRAIN_RECORDS, MAX_NAMED_SESSIONS};
use ledger::Ledger;
pub use listing::Listing;
pub use lost::{ForgetError, LeaveReason, LostPod, StoreRecord};
pub use pod::{Address, Inconsistency, Miscount, PodHealth, PodState, PodView};
pub use pod_event::PodEvent;
pub use query::{CursorParams, MAX_LIMIT, PageAnchor, Query, QueryError, Sort, SortField};
use retention::Memory;
pub use retention::{COUNTERS_RETENTION, DepartedPod, FINISHED_RETENTION, FORGET_AFTER};
pub use rows::Row;
pub use trend::{TREND_INTERVAL, TrendPoint};
pub use view::FleetView;

/// How far a pod's clock may be ahead of ours before what it says is doubted.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The state of all pods, as far as it was heard. Has one owner; everybody else reads a [`FleetView`].
#[derive(Debug)]
pub struct Fleet {
    /// How long a silent pod stays.
    forget_after: Duration,
    pods: BTreeMap<Address, Held>,
    ledger: Ledger,
    /// What the pods have counted that have left.
    memory: Memory,
    /// Why pods cannot be found just now.
    trouble: Option<Arc<str>>,
}

/// What the fleet holds of one address.
#[derive(Debug)]
struct Held {
    view: Arc<PodView>,
    /// The sessions it claims, as far as its snapshots and changes are applied.
    ids: HashSet<SessionId>,
    /// Whether nothing listens there any more.
    is_refused: bool,
    /// What has come of the snapshot that is coming in. Sessions that it does not list stay until it is whole.
    incoming: Option<HashSet<SessionId>>,
    /// Who it said it is, in the watch that runs.
    named: Option<PodName>,
    /// Whether another pod was heard here after discovery had ceased to name this one.
    replaced: bool,
    /// Whether it has left, and is in sight again as soon as it is heard.
    is_hidden: bool,
    /// Whether it lists as many sessions as it counts.
    check: CountCheck,
    /// Whether the shared store had a lease of it, and since when it has none.
    was_leased: bool,
    unleased_since: Option<Timestamp>,
}

impl Held {
    fn new(address: Address) -> Self {
        Self {
            view: Arc::new(PodView::new(address)),
            ids: HashSet::new(),
            is_refused: false,
            incoming: None,
            named: None,
            replaced: false,
            is_hidden: false,
            check: CountCheck::default(),
            was_leased: false,
            unleased_since: None,
        }
    }

    fn pod(&mut self) -> &mut PodView {
        Arc::make_mut(&mut self.view)
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self::new()
    }
}

impl Fleet {
    /// A fleet of no pods, that forgets silent ones after [`FORGET_AFTER`].
    pub fn new() -> Self {
        Self::with_forget_after(FORGET_AFTER)
    }

    /// A fleet of no pods, in which silent ones stay for so long.
    pub fn with_forget_after(forget_after: Duration) -> Self {
        Self {
            forget_after,
            pods: BTreeMap::new(),
            ledger: Ledger::default(),
            memory: Memory::default(),
            trouble: None,
        }
    }

    /// Takes in what was heard at an address; nothing where none is expected there.
    pub fn apply(&mut self, address: &Address, heard: PodEvent, now: Timestamp) {
        let Self { pods, ledger, memory, .. } = self;
        let count = pods.len();
        let Some(held) = pods.get_mut(address).filter(|held| !held.replaced) else { return };
        match &heard {
            PodEvent::Unreachable(_) if held.is_hidden => return,
            PodEvent::Report(_) => held.is_hidden = false,
            _ => {}
        }
        match heard {
            PodEvent::WatchStarted => {
                held.is_refused = false;
                held.incoming = Some(HashSet::new());
                held.named = None;
                held.pod().inconsistencies.begin();
            }
            PodEvent::Report(report) => {
                if let Some(other) = held.view.report.as_ref().filter(|known| known.pod != report.pod) {
                    // An address that is not ours any more may have become anybody's.
                    if !held.view.is_discovered() {
                        held.replaced = true;
                        held.pod().lost("another pod answers at its address".to_owned(), now);
                        return;
                    }
                    memory.keep(other, held.view.last_seen.unwrap_or(now));
                }
                held.named = Some(report.pod.clone());
                memory.released.retain(|released| released.pod != report.pod.as_str());
                held.report(report, ledger, now);
            }
            PodEvent::Snapshot { sessions, end } => held.snapshot(sessions, end, ledger, count, now),
            // After its last word a pod has nothing more to say.
            PodEvent::Changes { .. } if held.view.state == PodState::Finished => {}
            PodEvent::Changes { upserts, removals } => held.changes(upserts, removals, ledger, count, now),
            PodEvent::InvalidMessage(reason) => {
                held.pod().inconsistencies.insert(Inconsistency::InvalidMessage(reason));
                held.pod().last_seen = Some(now);
            }
            PodEvent::ConnectionRefused => {
                held.is_refused = true;
                memory.released.retain(|released| released.address != *address);
            }
            PodEvent::ProbeAnswered { took } => held.pod().answered(took, now),
            PodEvent::Unreachable(reason) => {
                held.incoming = None;
                held.check.reset();
                held.pod().lost(reason, now);
                ledger.drains.lose(address, held.view.last_seen.unwrap_or(now));
            }
        }
    }

    /// What everybody may read: as of now, and unchanged from then on.
    pub fn view(&self) -> FleetView {
        let pods = self.pods.values().filter(|held| !held.is_hidden).map(|held| held.view.clone());
        FleetView::new(pods, &self.ledger, self.memory.clone(), self.trouble.clone())
    }
}

impl Held {
    fn report(&mut self, report: PodReport, ledger: &mut Ledger, now: Timestamp) {
        let address = self.view.address.clone();
        let is_final = report.is_final;
        // While a snapshot comes in it is not known who is there: they are counted when it is whole.
        let is_heard = self.view.state == PodState::Live && self.incoming.is_none();
        let before = self.view.report.as_ref().filter(|_| is_heard);
        if ledger.drains.report(&address, before, &report, now) && is_heard {
            ledger.enter_drain(&address, self.ids.iter(), now);
            ledger.drains.count(&address, now);
        }
        self.check.count(report.active_sessions, now);
        self.pod().report(report, now);
        self.check_count(now);
        if is_final {
            self.incoming = None;
            self.check.reset();
            self.pod().miscount = None;
            for id in std::mem::take(&mut self.ids) {
                ledger.withdraw(&address, id, Departure::Unknown, now);
            }
            self.pod().sessions = 0;
            ledger.drains.count(&address, now);
            ledger.drains.end(&address, DrainEnd::Completed(now));
        }
    }

    /// Of each part the sessions are taken in as it comes: a snapshot that comes in is not kept twice.
    fn snapshot(&mut self, sessions: Vec<SessionView>, end: bool, ledger: &mut Ledger, pods: usize, now: Timestamp) {
        self.pod().last_seen = Some(now);
        // A snapshot that nobody asked for is one that began before its watch was lost.
        let Some(mut incoming) = self.incoming.take() else { return };
        for session in sessions {
            if !self.is_own(&session) {
                continue;
            }
            if incoming.contains(&session.id) {
                self.pod().inconsistencies.insert(Inconsistency::DuplicateId);
            }
            if self.has_room(session.id, ledger, pods) {
                incoming.insert(session.id);
                let doubtful = self.is_doubtful(&session, now);
                self.ids.insert(session.id);
                ledger.claim(&self.view.address, session, false, doubtful, now);
            }
        }
        if !end {
            self.incoming = Some(incoming);
            self.pod().sessions = self.ids.len() as u64;
            return;
        }
        let gone: Vec<_> = self.ids.difference(&incoming).copied().collect();
        for id in gone {
            self.withdraw(id, Departure::Unknown, ledger, now);
        }
        ledger.enter_drain(&self.view.address, self.ids.iter(), now);
        let pod = self.pod();
        pod.state = PodState::Live;
        pod.inconsistencies.settle();
        self.counted(ledger, now);
    }

    fn changes(
        &mut self,
        upserts: Vec<SessionView>,
        removals: Vec<(SessionId, Departure)>,
        ledger: &mut Ledger,
        pods: usize,
        now: Timestamp,
    ) {
        self.pod().last_seen = Some(now);
        for session in upserts {
            if self.is_own(&session) && self.has_room(session.id, ledger, pods) {
                self.claim(session, ledger, now);
            }
        }
        for (id, departure) in removals {
            self.withdraw(id, departure, ledger, now);
        }
        self.counted(ledger, now);
    }

    /// Whether the session is one more than may be kept; that is said, never silent.
    fn has_room(&mut self, id: SessionId, ledger: &Ledger, pods: usize) -> bool {
        if self.ids.contains(&id) {
            return true;
        }
        match bounds::check(self.ids.len(), ledger.claims.count(), pods) {
            Ok(()) => return true,
            Err(bounds::Bound::Pod) => self.pod().inconsistencies.insert(Inconsistency::TooManySessions),
            Err(bounds::Bound::All) => self.pod().inconsistencies.insert(Inconsistency::TooManyInFleet),
        }
        false
    }

    fn counted(&mut self, ledger: &mut Ledger, now: Timestamp) {
        self.pod().sessions = self.ids.len() as u64;
        ledger.drains.count(&self.view.address, now);
        self.check_count(now);
    }

    /// Compares what the pod counts with what it has listed; whether that is otherwise than before.
    fn check_count(&mut self, now: Timestamp) -> bool {
        if self.view.state != PodState::Live || self.incoming.is_some() {
            return false;
        }
        let listed = self.ids.len() as u64;
        let miscount = self.check.compare(listed, now).map(|counted| Miscount { counted, listed });
        let is_new = self.view.miscount != miscount;
        if is_new {
            self.pod().miscount = miscount;
        }
        is_new
    }

    /// A pod speaks for itself only.
    fn is_own(&mut self, session: &SessionView) -> bool {
        if self.named.as_ref().is_none_or(|name| *name == session.pod) {
            return true;
        }
        self.pod().inconsistencies.insert(Inconsistency::ForeignSession(session.pod.clone()));
        false
    }

    fn claim(&mut self, session: SessionView, ledger: &mut Ledger, now: Timestamp) {
        let doubtful = self.is_doubtful(&session, now);
        let is_new = self.ids.insert(session.id);
        ledger.claim(&self.view.address, session, is_new, doubtful, now);
    }

    /// Whether the session's times cannot be true.
    fn is_doubtful(&mut self, session: &SessionView, now: Timestamp) -> bool {
        let ahead = session.last_activity.max(session.login_time).since(now);
        let doubtful = ahead > CLOCK_TOLERANCE;
        if doubtful {
            self.pod().inconsistencies.insert(Inconsistency::ClockAhead(ahead));
        }
        doubtful
    }

    fn withdraw(&mut self, id: SessionId, departure: Departure, ledger: &mut Ledger, now: Timestamp) {
        if self.ids.remove(&id) {
            ledger.withdraw(&self.view.address, id, departure, now);
        }
    }
}

#[cfg(test)]
mod tests;
