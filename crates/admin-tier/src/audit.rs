//! What operators did: each deed is a line in the log, for the record, and an entry of a list that the panel shows.
//!
//! The log is the record; the list is short, is gone with the process, and holds what was done here only.

use std::collections::VecDeque;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;

use session_domain::Timestamp;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::auth::Operator;
use crate::clock;

/// Entries that are listed.
const LISTED: usize = 50;

/// Of these, exports: no script that exports every minute pushes everything else off the list.
const EXPORTS_LISTED: usize = 20;

/// What was done, or tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Maintenance was turned on.
    MaintenanceOn,
    /// Maintenance was turned off.
    MaintenanceOff,
    /// Somebody signed in.
    SignedIn,
    /// Somebody signed out.
    SignedOut,
    /// Sessions were taken away as a file.
    Exported,
    /// A silent pod was dropped into the history.
    PodForgotten,
}

impl Deed {
    /// The deed as the log names it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::MaintenanceOn => "maintenance_on",
            Self::MaintenanceOff => "maintenance_off",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::Exported => "exported",
            Self::PodForgotten => "pod_forgotten",
        }
    }

    /// The deed, done.
    const fn done(self) -> &'static str {
        match self {
            Self::MaintenanceOn | Self::MaintenanceOff => "the maintenance switch was moved",
            Self::SignedIn => "an operator has signed in",
            Self::SignedOut => "an operator has signed out",
            Self::Exported => "sessions were exported",
            Self::PodForgotten => "a silent pod was forgotten",
        }
    }

    /// The deed, tried.
    const fn failed(self) -> &'static str {
        match self {
            Self::MaintenanceOn | Self::MaintenanceOff => "the maintenance switch could not be moved",
            Self::SignedIn => "somebody was refused: not the token, or a link that is not good",
            Self::SignedOut => "an operator could not be signed out",
            Self::Exported => "sessions could not be exported",
            Self::PodForgotten => "a pod could not be forgotten",
        }
    }
}

/// Who did something, what, to what, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When, the last time.
    pub(crate) at: Timestamp,
    /// Who; nobody is known by name who was refused.
    pub(crate) operator: Option<(String, &'static str)>,
    /// Where from, the last time.
    pub(crate) from: IpAddr,
    /// What.
    pub(crate) deed: Deed,
    /// To what, the last time: the name of the switch, what was exported.
    pub(crate) object: Option<String>,
    /// Why it failed, where it did.
    pub(crate) failure: Option<String>,
    /// How often it happened: equal failures are one entry, so that repeated guesses do not push other entries off the list.
    pub(crate) times: u32,
}

/// The list. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Audit(Arc<watch::Sender<Arc<VecDeque<Entry>>>>);

impl Audit {
    /// A list of nothing.
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Arc::default())))
    }

    /// The newest first.
    pub(crate) fn entries(&self) -> Arc<VecDeque<Entry>> {
        Arc::clone(&self.0.borrow())
    }

    /// Tells of every new entry.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<VecDeque<Entry>>> {
        self.0.subscribe()
    }

    /// It was done.
    pub(crate) fn done(&self, operator: &Operator, deed: Deed, object: Option<String>) {
        let Operator { name, how, from } = operator;
        info!(
            audit.action = deed.as_str(), audit.object = object, audit.result = "done",
            operator.name = name.as_str(), operator.how = how.as_str(), client.address = %from,
            "{}", deed.done()
        );
        self.list(entry(Some(operator), *from, deed, object, None));
    }

    /// It was tried, and failed for this reason.
    pub(crate) fn failed(&self, operator: &Operator, deed: Deed, object: Option<String>, reason: &dyn Display) {
        let Operator { name, how, from } = operator;
        warn!(
            audit.action = deed.as_str(), audit.object = object, audit.result = "failed",
            operator.name = name.as_str(), operator.how = how.as_str(), client.address = %from, error = %reason,
            "{}", deed.failed()
        );
        self.list(entry(Some(operator), *from, deed, object, Some(reason.to_string())));
    }

    /// Somebody whom nobody knows wanted to come in.
    pub(crate) fn refused(&self, from: IpAddr) {
        let deed = Deed::SignedIn;
        warn!(
            audit.action = deed.as_str(), audit.result = "refused", client.address = %from,
            "{}", deed.failed()
        );
        self.list(entry(None, from, deed, None, Some("not the token, or a link that is not good".to_owned())));
    }

    fn list(&self, entry: Entry) {
        self.0.send_modify(|entries| {
            let entries = Arc::make_mut(entries);
            let before = entries.iter().position(|known| is_again(known, &entry)).and_then(|at| entries.remove(at));
            let times = before.map_or(0, |before| before.times).saturating_add(1);
            entries.push_front(Entry { times, ..entry });
            let is_export = |entry: &Entry| entry.deed == Deed::Exported && entry.failure.is_none();
            let exports = entries.iter().enumerate().filter(|(_, entry)| is_export(entry)).map(|(at, _)| at);
            if let Some(oldest) = exports.skip(EXPORTS_LISTED).last() {
                entries.remove(oldest);
            }
            entries.truncate(LISTED);
        });
    }
}

fn entry(
    operator: Option<&Operator>,
    from: IpAddr,
    deed: Deed,
    object: Option<String>,
    failure: Option<String>,
) -> Entry {
    let operator = operator.map(|operator| (operator.name.to_string(), operator.how.as_str()));
    Entry { at: clock::now(), operator, from, deed, object, failure, times: 1 }
}

/// Whether it is the same once more: a guess from wherever, a failure of the same kind. What was done stands there each time.
fn is_again(known: &Entry, entry: &Entry) -> bool {
    let same = (&known.operator, known.deed, &known.failure) == (&entry.operator, entry.deed, &entry.failure);
    same && entry.failure.is_some()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use session_domain::UserName;

    use super::*;
    use crate::auth::How;

    const FROM: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn ada() -> Operator {
        Operator { name: UserName::from_input("ada"), how: How::Proxy, from: FROM }
    }

    #[test]
    fn guesses_fill_one_entry_and_the_list_is_short() {
        let audit = Audit::new();
        audit.done(&ada(), Deed::MaintenanceOn, Some("the file".to_owned()));
        (0..200).for_each(|n| audit.refused(Ipv4Addr::from(n).into()));
        let entries = audit.entries();
        assert_eq!(entries.iter().map(|entry| entry.times).collect::<Vec<_>>(), [200, 1]);
        assert_eq!((entries[0].operator.clone(), entries[0].from), (None, Ipv4Addr::from(199).into()));
        assert_eq!(entries[1].operator, Some(("ada".to_owned(), "proxy")));
        (0..200).for_each(|_| audit.done(&ada(), Deed::SignedOut, None));
        assert_eq!(audit.entries().len(), LISTED, "what was done twice stands there twice");
    }

    #[test]
    fn two_exports_are_two_entries_and_many_push_nothing_else_off_the_list() {
        let audit = Audit::new();
        let export = |n: u32| audit.done(&ada(), Deed::Exported, Some(format!("{n} sessions as csv")));
        audit.done(&ada(), Deed::MaintenanceOn, Some("the file".to_owned()));
        (0..2).for_each(export);
        let objects = || audit.entries().iter().filter_map(|entry| entry.object.clone()).collect::<Vec<_>>();
        assert_eq!(objects(), ["1 sessions as csv", "0 sessions as csv", "the file"]);
        (2..200).for_each(export);
        assert_eq!(objects().len(), EXPORTS_LISTED + 1);
        assert_eq!((objects()[0].as_str(), objects().last().unwrap().as_str()), ("199 sessions as csv", "the file"));
    }
}
