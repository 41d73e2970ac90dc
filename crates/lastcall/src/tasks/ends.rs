//! What happens when a task ends: the code that runs it is told, and the log says how many were cut.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;
use session_domain::registry::EndedTask;
use session_domain::{TaskId, TaskOutcome};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::sharing::Sharing;

/// The most kinds that a log line names. The rest are counted together.
const MAX_KINDS: usize = 10;

/// Hears of the ends of tasks.
#[derive(Debug, Default)]
pub(crate) struct TaskEnds {
    /// Wakes the task that ends leases: one ends earlier than all before.
    pub(super) lease_advanced: Notify,
    /// Cancelled where a task of the pod's own code is cut.
    guards: Mutex<HashMap<TaskId, CancellationToken>>,
    /// The tasks that were cut since the last look, by kind.
    cut: Mutex<BTreeMap<Arc<str>, u64>>,
    /// Tells other pods, where sessions are shared.
    sharing: OnceLock<Weak<Sharing>>,
}

impl TaskEnds {
    /// A lease ends earlier than all others did.
    pub(crate) fn lease_advanced(&self) {
        self.lease_advanced.notify_one();
    }

    /// Tells other pods through this from now on.
    pub(crate) fn share(&self, sharing: &Arc<Sharing>) {
        // Set once, when the service is made.
        let _ = self.sharing.set(Arc::downgrade(sharing));
    }

    /// A task has ended.
    pub(crate) fn ended(&self, ended: EndedTask<'_>) {
        let EndedTask { session, task, is_leased, outcome, is_out_of_time, holder } = ended;
        let sharing = self.sharing.get().and_then(Weak::upgrade);
        match (sharing, holder) {
            (Some(sharing), Some(holder)) => return sharing.cut_elsewhere(session, holder),
            (Some(sharing), None) => sharing.task_ended(session, task.id),
            (None, _) => {}
        }
        let guard = if is_leased { None } else { self.remove(task.id) };
        if outcome != TaskOutcome::Cut {
            return;
        }
        if let Some(guard) = guard {
            guard.cancel();
        }
        // A logout cuts tasks, too, also while the drain waits: a longer time would not have helped these.
        if !is_out_of_time {
            return;
        }
        let mut cut = self.cut.lock();
        let is_listed = cut.contains_key(&task.kind) || cut.len() < MAX_KINDS;
        let kind = if is_listed { Arc::clone(&task.kind) } else { "others".into() };
        *cut.entry(kind).or_default() += 1;
    }

    /// Cancels `token` where the task is cut.
    pub(super) fn watch(&self, id: TaskId, token: CancellationToken) {
        self.guards.lock().insert(id, token);
    }

    pub(super) fn remove(&self, id: TaskId) -> Option<CancellationToken> {
        self.guards.lock().remove(&id)
    }

    /// Forgets the tasks that were cut before: their sessions ended for another reason than a drain.
    pub(crate) fn forget_cut(&self) {
        self.cut.lock().clear();
    }

    /// Logs how many tasks were cut, where any was: their users or jobs have to begin again.
    pub(crate) fn log_cut(&self) {
        let cut = std::mem::take(&mut *self.cut.lock());
        let total: u64 = cut.values().sum();
        if total > 0 {
            warn!(
                tasks.cut = total,
                tasks.kinds = kinds(&cut),
                "tasks were cut at the end of their time: a longer TASK_GRACE would let them finish"
            );
        }
    }
}

/// The kinds with their numbers: `"export" 2, "import" 1`.
fn kinds(cut: &BTreeMap<Arc<str>, u64>) -> String {
    let mut text = String::new();
    for (kind, number) in cut {
        let separator = if text.is_empty() { "" } else { ", " };
        // Quoted: a kind comes from a client. Writing to a string cannot fail.
        let _ = write!(text, "{separator}{kind:?} {number}");
    }
    text
}

#[cfg(test)]
mod tests {
    use session_domain::{SessionId, TaskView};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_tasks_that_were_cut_are_counted_by_kind_in_bounded_memory() {
        let ends = TaskEnds::default();
        for n in 0..100 {
            let (id, kind) = (TaskId::from_uuid(Uuid::from_u128(n)), format!("kind \"{:02}\"", n % 50));
            let task = TaskView { id, kind: kind.into(), label: "".into(), progress: None, lease_until: None };
            let outcome = if n % 4 == 3 { TaskOutcome::Done } else { TaskOutcome::Cut };
            let session = SessionId::from_uuid(Uuid::from_u128(n));
            let is_out_of_time = n < 80;
            ends.ended(EndedTask { session, task: &task, is_leased: false, outcome, is_out_of_time, holder: None });
        }
        let cut = ends.cut.lock().clone();
        assert_eq!((cut.len(), cut.values().sum::<u64>()), (MAX_KINDS + 1, 60));
        assert!(kinds(&cut).starts_with(r#""kind \"00\"" 2, "kind"#), "{}", kinds(&cut));
    }
}
