//! All pods together: what each last said, whose sessions are where, and what can be relied on.
//!
//! [`Fleet`] has one owner, who feeds it which pods discovery names ([`Found`]) and what the links to them hear
//! ([`Heard`]), and takes a [`FleetView`] to hand out. A view never changes and costs what has changed since the one before: pods are shared by `Arc`, rows by 256
//! shards of which a change copies only its own (a 256th of all rows), and only while an older view still holds it.
//!
//! No pod is believed beyond its own affairs. What contradicts itself, or another pod, is kept out or marked, and
//! said; nothing a pod sends panics, grows without bound or changes what another pod has told.

mod books;
mod claims;
mod filter;
mod found;
mod heard;
mod history;
mod leaving;
mod listing;
mod pod;
mod query;
mod rows;
mod trend;
mod view;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::ids::{PodName, SessionId};
use crate::pod::PodReport;
use crate::session::SessionView;
use crate::time::Timestamp;

use books::Books;
pub use filter::{Filter, SessionState};
pub use found::{Conditions, Found};
pub use heard::{Heard, Parting};
pub use history::{DRAINS_KEPT, DrainEnd, DrainRecord, PEOPLE_KEPT, Person};
use leaving::Memory;
pub use leaving::{COUNTERS_STAY, DONE_STAY, Gone, LOST_STAY};
pub use listing::Listing;
pub use pod::{Address, Lie, PodState, PodView, Standing};
pub use query::{Asked, Field, MAX_LIMIT, Place, Query, QueryError, Sort};
pub use rows::Row;
pub use trend::{STEP, Step};
pub use view::FleetView;

/// How far a pod's clock may be ahead of ours before what it says is doubted.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Sessions that are kept of one pod; what it sends beyond is dropped and said.
pub const MAX_SESSIONS_OF_A_POD: usize = 1_000_000;

/// The state of all pods, as far as it was heard. Has one owner; everybody else reads a [`FleetView`].
#[derive(Debug, Default)]
pub struct Fleet {
    pods: BTreeMap<Address, Held>,
    books: Books,
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
    /// The snapshot that is coming in; the rows of before stay until it is whole.
    incoming: Option<HashMap<SessionId, SessionView>>,
    /// Who it said it is, in the watch that runs.
    named: Option<PodName>,
    /// Whether another pod was heard here after discovery had ceased to name this one.
    replaced: bool,
}

impl Held {
    fn new(address: Address) -> Self {
        let view = Arc::new(PodView::new(address));
        Self { view, ids: HashSet::new(), incoming: None, named: None, replaced: false }
    }

    fn pod(&mut self) -> &mut PodView {
        Arc::make_mut(&mut self.view)
    }
}

impl Fleet {
    /// A fleet of no pods.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what was heard at an address; nothing where none is expected there.
    pub fn apply(&mut self, address: &Address, heard: Heard, now: Timestamp) {
        let Self { pods, books, memory, .. } = self;
        let Some(held) = pods.get_mut(address).filter(|held| !held.replaced) else { return };
        match heard {
            Heard::Watching => {
                held.incoming = Some(HashMap::new());
                held.named = None;
                held.pod().lies.clear();
            }
            Heard::Report(report) => {
                if let Some(other) = held.view.report.as_ref().filter(|known| known.pod != report.pod) {
                    // An address that is not ours any more may have become anybody's.
                    if !held.view.is_listed() {
                        held.replaced = true;
                        held.pod().lost("another pod answers at its address".to_owned(), now);
                        return;
                    }
                    memory.keep(other, held.view.last_seen.unwrap_or(now));
                }
                held.named = Some(report.pod.clone());
                held.report(report, books, now);
            }
            Heard::Snapshot { sessions, end } => held.snapshot(sessions, end, books, now),
            // After its last word a pod has nothing more to say.
            Heard::Changes { .. } if held.view.state == PodState::Finished => {}
            Heard::Changes { upserts, removals } => held.changes(upserts, removals, books, now),
            Heard::Unsound(reason) => {
                held.pod().lies.insert(Lie::Unsound(reason));
                held.pod().last_seen = Some(now);
            }
            Heard::Answered { took } => held.pod().answered(took, now),
            Heard::Lost(reason) => {
                held.incoming = None;
                held.pod().lost(reason, now);
                books.history.lose(address, held.view.last_seen.unwrap_or(now));
            }
        }
    }

    /// What everybody may read: as of now, and unchanged from then on.
    pub fn view(&self) -> FleetView {
        let pods = self.pods.values().map(|held| held.view.clone());
        FleetView::new(pods, &self.books, self.memory.clone(), self.trouble.clone())
    }
}

impl Held {
    fn report(&mut self, report: PodReport, books: &mut Books, now: Timestamp) {
        let address = self.view.address.clone();
        let is_final = report.is_final;
        // While a snapshot comes in it is not known who is there: they are counted when it is whole.
        let is_heard = self.view.state == PodState::Live && self.incoming.is_none();
        let before = self.view.report.as_ref().filter(|_| is_heard);
        if books.history.report(&address, before, &report, now) && is_heard {
            self.join_drain(books);
            books.history.count(&address, self.ids.len(), now);
        }
        self.pod().report(report, now);
        if is_final {
            self.incoming = None;
            for id in std::mem::take(&mut self.ids) {
                books.withdraw(&address, id, Parting::Untold, now);
            }
            self.pod().sessions = 0;
            books.history.count(&address, 0, now);
            books.history.end(&address, DrainEnd::Over(now));
        }
    }

    fn snapshot(&mut self, sessions: Vec<SessionView>, end: bool, books: &mut Books, now: Timestamp) {
        self.pod().last_seen = Some(now);
        // A snapshot that nobody asked for is one that began before its watch was lost.
        let Some(mut incoming) = self.incoming.take() else { return };
        for session in sessions {
            if incoming.len() >= MAX_SESSIONS_OF_A_POD {
                self.pod().lies.insert(Lie::TooMany);
                break;
            }
            if self.is_own(&session) && incoming.insert(session.id, session).is_some() {
                self.pod().lies.insert(Lie::SameIdTwice);
            }
        }
        if !end {
            self.incoming = Some(incoming);
            return;
        }
        let gone: Vec<_> = self.ids.iter().filter(|id| !incoming.contains_key(id)).copied().collect();
        for id in gone {
            self.withdraw(id, Parting::Untold, books, now);
        }
        if books.history.is_uncounted(&self.view.address) {
            self.join_drain(books);
        }
        for session in incoming.into_values() {
            self.claim(session, books, now);
        }
        self.pod().state = PodState::Live;
        self.counted(books, now);
    }

    fn changes(
        &mut self,
        upserts: Vec<SessionView>,
        removals: Vec<(SessionId, Parting)>,
        books: &mut Books,
        now: Timestamp,
    ) {
        self.pod().last_seen = Some(now);
        for session in upserts {
            if self.ids.len() >= MAX_SESSIONS_OF_A_POD && !self.ids.contains(&session.id) {
                self.pod().lies.insert(Lie::TooMany);
            } else if self.is_own(&session) {
                self.claim(session, books, now);
            }
        }
        for (id, parting) in removals {
            self.withdraw(id, parting, books, now);
        }
        self.counted(books, now);
    }

    fn counted(&mut self, books: &mut Books, now: Timestamp) {
        self.pod().sessions = self.ids.len() as u64;
        books.history.count(&self.view.address, self.ids.len(), now);
    }

    /// All who are there are people of the drain that runs.
    fn join_drain(&self, books: &mut Books) {
        let rows = self.ids.iter().filter_map(|id| books.claims.rows.get(*id));
        rows.for_each(|row| books.history.join(&self.view.address, row.session.id, &row.session.user, true));
    }

    /// A pod speaks for itself only.
    fn is_own(&mut self, session: &SessionView) -> bool {
        if self.named.as_ref().is_none_or(|name| *name == session.pod) {
            return true;
        }
        self.pod().lies.insert(Lie::OthersSession(session.pod.clone()));
        false
    }

    fn claim(&mut self, session: SessionView, books: &mut Books, now: Timestamp) {
        let ahead = session.last_activity.max(session.login_time).since(now);
        let doubtful = ahead > CLOCK_TOLERANCE;
        if doubtful {
            self.pod().lies.insert(Lie::Future(ahead));
        }
        let is_new = self.ids.insert(session.id);
        books.claim(&self.view.address, session, is_new, doubtful);
    }

    fn withdraw(&mut self, id: SessionId, parting: Parting, books: &mut Books, now: Timestamp) {
        if self.ids.remove(&id) {
            books.withdraw(&self.view.address, id, parting, now);
        }
    }
}

#[cfg(test)]
mod tests;
