//! What the fleet holds of one address, and how the events of its watch change it.

use std::collections::HashSet;
use std::sync::Arc;

use session_domain::{Departure, PodName, PodReport, SessionId, SessionView, Timestamp};

use crate::address::Address;
use crate::bounds::{self, CLOCK_TOLERANCE};
use crate::count_check::CountCheck;
use crate::history::DrainEnd;
use crate::ledger::Ledger;
use crate::pod::{Inconsistency, Miscount, PodState, PodView};

/// An address of the fleet, with the pod behind it.
#[derive(Debug)]
pub(super) struct TrackedPod {
    pub(super) view: Arc<PodView>,
    /// The sessions that the pod claims, as far as its snapshots and changes are applied.
    pub(super) ids: HashSet<SessionId>,
    /// Whether the address has refused a connection since the last watch.
    pub(super) is_refused: bool,
    /// The ids of the snapshot that is arriving. Sessions that it does not list stay until it is complete.
    pub(super) incoming: Option<HashSet<SessionId>>,
    /// The name that the pod has reported in the running watch.
    reported_name: Option<PodName>,
    /// Whether another pod answered here after discovery had dropped this one.
    pub(super) is_replaced: bool,
    /// Whether the pod has left the fleet. It is shown again as soon as it reports.
    pub(super) is_hidden: bool,
    pub(super) count_check: CountCheck,
    /// Whether the shared store had a lease of the pod, and since when it has none.
    pub(super) had_lease: bool,
    pub(super) unleased_since: Option<Timestamp>,
}

impl TrackedPod {
    pub(super) fn new(address: Address) -> Self {
        Self {
            view: Arc::new(PodView::new(address)),
            ids: HashSet::new(),
            is_refused: false,
            incoming: None,
            reported_name: None,
            is_replaced: false,
            is_hidden: false,
            count_check: CountCheck::default(),
            had_lease: false,
            unleased_since: None,
        }
    }

    /// The view, to be changed. Copies it if a [`FleetView`](crate::FleetView) shares it.
    pub(super) fn view_mut(&mut self) -> &mut PodView {
        Arc::make_mut(&mut self.view)
    }

    pub(super) fn start_watch(&mut self) {
        self.is_refused = false;
        self.incoming = Some(HashSet::new());
        self.reported_name = None;
        let view = self.view_mut();
        view.inconsistencies.begin_watch();
        view.has_tasks_left_out = false;
    }

    pub(super) fn lose(&mut self, reason: String, ledger: &mut Ledger, now: Timestamp) {
        self.incoming = None;
        self.count_check.reset();
        self.view_mut().mark_unreachable(reason, now);
        ledger.drains.lose(&self.view.address, self.view.last_seen.unwrap_or(now));
    }

    pub(super) fn apply_report(&mut self, report: PodReport, ledger: &mut Ledger, now: Timestamp) {
        self.reported_name = Some(report.pod.clone());
        let address = self.view.address.clone();
        let is_final = report.is_final;
        let is_same = |known: &PodReport| known.pod == report.pod && known.started_at == report.started_at;
        if !self.view.report.as_ref().is_some_and(is_same) {
            ledger.moves.forget(&address);
        }
        // While a snapshot arrives, the sessions are not known: they are counted when it is complete.
        let is_current = self.view.state == PodState::Live && self.incoming.is_none();
        let before = self.view.report.as_ref().filter(|_| is_current);
        if ledger.drains.report(&address, before, &report, now) && is_current {
            ledger.enter_drain(&address, self.ids.iter(), now);
            ledger.drains.record_present(&address, now);
        }
        self.count_check.record(report.active_sessions, now);
        self.view_mut().apply_report(report, now);
        self.check_count(now);
        if is_final {
            self.incoming = None;
            self.count_check.reset();
            self.view_mut().miscount = None;
            for id in std::mem::take(&mut self.ids) {
                ledger.withdraw(&address, id, Departure::Unknown, now);
            }
            self.view_mut().sessions = 0;
            ledger.drains.record_present(&address, now);
            ledger.drains.end(&address, DrainEnd::Completed(now));
        }
    }

    /// Applies each part of a snapshot as it arrives, so that the snapshot is never held twice.
    pub(super) fn apply_snapshot(
        &mut self,
        sessions: Vec<SessionView>,
        end: bool,
        ledger: &mut Ledger,
        pod_count: usize,
        now: Timestamp,
    ) {
        self.view_mut().last_seen = Some(now);
        // A part without a watch belongs to a watch that was lost.
        let Some(mut incoming) = self.incoming.take() else { return };
        for mut session in sessions {
            if !self.is_own(&session) {
                continue;
            }
            if incoming.contains(&session.id) {
                self.view_mut().inconsistencies.insert(Inconsistency::DuplicateId);
            }
            if self.has_room(session.id, ledger, pod_count) {
                incoming.insert(session.id);
                let is_doubtful = self.is_doubtful(&session, now);
                self.ids.insert(session.id);
                self.bound_tasks(&mut session, ledger);
                ledger.claim(&self.view.address, session, false, is_doubtful, now);
            }
        }
        if !end {
            self.incoming = Some(incoming);
            self.view_mut().sessions = self.ids.len() as u64;
            return;
        }
        let gone: Vec<_> = self.ids.difference(&incoming).copied().collect();
        for id in gone {
            self.withdraw(id, Departure::Unknown, ledger, now);
        }
        ledger.enter_drain(&self.view.address, self.ids.iter(), now);
        let view = self.view_mut();
        view.state = PodState::Live;
        view.inconsistencies.complete_snapshot();
        self.update_counts(ledger, now);
    }

    pub(super) fn apply_changes(
        &mut self,
        upserts: Vec<SessionView>,
        removals: Vec<(SessionId, Departure)>,
        ledger: &mut Ledger,
        pod_count: usize,
        now: Timestamp,
    ) {
        self.view_mut().last_seen = Some(now);
        for mut session in upserts {
            if self.is_own(&session) && self.has_room(session.id, ledger, pod_count) {
                let is_doubtful = self.is_doubtful(&session, now);
                let is_new = self.ids.insert(session.id);
                self.bound_tasks(&mut session, ledger);
                ledger.claim(&self.view.address, session, is_new, is_doubtful, now);
            }
        }
        for (id, departure) in removals {
            self.withdraw(id, departure, ledger, now);
        }
        self.update_counts(ledger, now);
    }

    /// Compares the sessions that the pod counts with those that it has listed. Returns whether the result is new.
    pub(super) fn check_count(&mut self, now: Timestamp) -> bool {
        if self.view.state != PodState::Live || self.incoming.is_some() {
            return false;
        }
        let listed = self.ids.len() as u64;
        let miscount = self.count_check.compare(listed, now).map(|counted| Miscount { counted, listed });
        let is_new = self.view.miscount != miscount;
        if is_new {
            self.view_mut().miscount = miscount;
        }
        is_new
    }

    fn update_counts(&mut self, ledger: &mut Ledger, now: Timestamp) {
        self.view_mut().sessions = self.ids.len() as u64;
        ledger.drains.record_present(&self.view.address, now);
        self.check_count(now);
    }

    /// Whether one more session may be kept. Marks the pod as inconsistent if not.
    fn has_room(&mut self, id: SessionId, ledger: &Ledger, pod_count: usize) -> bool {
        if self.ids.contains(&id) {
            return true;
        }
        match bounds::check(self.ids.len(), ledger.claims.count(), pod_count) {
            Ok(()) => return true,
            Err(bounds::Bound::Pod) => self.view_mut().inconsistencies.insert(Inconsistency::TooManySessions),
            Err(bounds::Bound::Fleet) => self.view_mut().inconsistencies.insert(Inconsistency::TooManyInFleet),
        }
        false
    }

    /// Leaves out the session's tasks if the pod has too many. That is no inconsistency: users can start that many.
    fn bound_tasks(&mut self, session: &mut SessionView, ledger: &Ledger) {
        if session.tasks.is_empty() {
            return;
        }
        let others = ledger.claims.tasks_besides(&self.view.address, session.id);
        if others + session.tasks.len() > bounds::MAX_TASKS_PER_POD {
            session.tasks = Vec::new();
            self.view_mut().has_tasks_left_out = true;
        }
    }

    /// Whether the session names this pod as its owner. Marks the pod as inconsistent if not.
    fn is_own(&mut self, session: &SessionView) -> bool {
        if self.reported_name.as_ref().is_none_or(|name| *name == session.pod) {
            return true;
        }
        self.view_mut().inconsistencies.insert(Inconsistency::ForeignSession(session.pod.clone()));
        false
    }

    /// Whether the session's times are too far ahead. Marks the pod as inconsistent if so.
    fn is_doubtful(&mut self, session: &SessionView, now: Timestamp) -> bool {
        let ahead = session.last_activity.max(session.login_time).since(now);
        let is_doubtful = ahead > CLOCK_TOLERANCE;
        if is_doubtful {
            self.view_mut().inconsistencies.insert(Inconsistency::ClockAhead(ahead));
        }
        is_doubtful
    }

    fn withdraw(&mut self, id: SessionId, departure: Departure, ledger: &mut Ledger, now: Timestamp) {
        if self.ids.remove(&id) {
            ledger.withdraw(&self.view.address, id, departure, now);
        }
    }
}
