//! The audit log: each action of an operator is written to the log and listed on the panel.
//!
//! The log is the record. The list is short, ends with the process, and holds the actions that this process served.

mod action;

use std::collections::VecDeque;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;

pub(crate) use action::AuditAction;
use session_domain::Timestamp;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::clock;
use crate::operator::{AuthMethod, Operator};

/// How many entries the list holds.
const MAX_ENTRIES: usize = 50;

/// How many of them may be exports, so that a script that exports every minute does not push the others off the list.
const MAX_EXPORT_ENTRIES: usize = 20;

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditEntry {
    /// The time of the last occurrence.
    pub(crate) at: Timestamp,
    /// The operator's name and method; `None` for a refused sign-in.
    pub(crate) operator: Option<(String, AuthMethod)>,
    /// The client's address at the last occurrence.
    pub(crate) address: IpAddr,
    /// The action.
    pub(crate) action: AuditAction,
    /// What it was done to, at the last occurrence: the switch, the export, the pod.
    pub(crate) object: Option<String>,
    /// Why it failed, where it did.
    pub(crate) failure: Option<String>,
    /// How often it occurred. Equal failures share an entry, so that repeated guesses do not push others off the list.
    pub(crate) times: u32,
}

/// The list of recent actions. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Audit(Arc<watch::Sender<Arc<VecDeque<AuditEntry>>>>);

impl Audit {
    /// Creates an empty list.
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Arc::default())))
    }

    /// Returns the entries, newest first.
    pub(crate) fn entries(&self) -> Arc<VecDeque<AuditEntry>> {
        Arc::clone(&self.0.borrow())
    }

    /// Returns a receiver that is notified of each new entry.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<VecDeque<AuditEntry>>> {
        self.0.subscribe()
    }

    /// Records an action that succeeded.
    pub(crate) fn record_done(&self, operator: &Operator, action: AuditAction, object: Option<String>) {
        let Operator { name, method, address } = operator;
        info!(
            audit.action = action.as_str(), audit.object = object, audit.result = "done",
            operator.name = name.as_str(), operator.how = method.as_str(), client.address = %address,
            "{}", action.done_message()
        );
        self.add(entry(Some(operator), *address, action, object, None));
    }

    /// Records an action that failed, with the reason.
    pub(crate) fn record_failed(
        &self,
        operator: &Operator,
        action: AuditAction,
        object: Option<String>,
        reason: &dyn Display,
    ) {
        let Operator { name, method, address } = operator;
        warn!(
            audit.action = action.as_str(), audit.object = object, audit.result = "failed",
            operator.name = name.as_str(), operator.how = method.as_str(), client.address = %address, error = %reason,
            "{}", action.failed_message()
        );
        self.add(entry(Some(operator), *address, action, object, Some(reason.to_string())));
    }

    /// Records a sign-in that was refused.
    pub(crate) fn record_refused_sign_in(&self, address: IpAddr) {
        let action = AuditAction::SignedIn;
        warn!(
            audit.action = action.as_str(), audit.result = "refused", client.address = %address,
            "{}", action.failed_message()
        );
        let reason = "wrong token, or a link that was used or has expired".to_owned();
        self.add(entry(None, address, action, None, Some(reason)));
    }

    fn add(&self, entry: AuditEntry) {
        self.0.send_modify(|entries| {
            let entries = Arc::make_mut(entries);
            let before = entries.iter().position(|known| is_same_failure(known, &entry));
            let before = before.and_then(|index| entries.remove(index));
            let times = before.map_or(0, |before| before.times).saturating_add(1);
            entries.push_front(AuditEntry { times, ..entry });
            let is_export = |entry: &AuditEntry| entry.action == AuditAction::Exported && entry.failure.is_none();
            let exports = entries.iter().enumerate().filter(|(_, entry)| is_export(entry)).map(|(index, _)| index);
            if let Some(oldest) = exports.skip(MAX_EXPORT_ENTRIES).last() {
                entries.remove(oldest);
            }
            entries.truncate(MAX_ENTRIES);
        });
    }
}

fn entry(
    operator: Option<&Operator>,
    address: IpAddr,
    action: AuditAction,
    object: Option<String>,
    failure: Option<String>,
) -> AuditEntry {
    let operator = operator.map(|operator| (operator.name.to_string(), operator.method));
    AuditEntry { at: clock::now(), operator, address, action, object, failure, times: 1 }
}

/// Returns whether the same operator's same action failed for the same reason before. Successful actions never share an
/// entry.
fn is_same_failure(known: &AuditEntry, entry: &AuditEntry) -> bool {
    let is_same = (&known.operator, known.action, &known.failure) == (&entry.operator, entry.action, &entry.failure);
    is_same && entry.failure.is_some()
}

#[cfg(test)]
mod tests;
