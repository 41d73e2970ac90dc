//! The verbs of requests, how often each was used, and the faults that tests switch on.

use std::collections::HashMap;

use parking_lot::Mutex;

/// The verb of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Reads one object.
    Get,
    /// Reads many objects.
    List,
    /// Follows changes.
    Watch,
    /// Creates an object.
    Create,
    /// Replaces an object.
    Update,
    /// Changes an object.
    Patch,
    /// Removes an object.
    Delete,
}

impl Verb {
    /// All verbs.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::List, Self::Watch, Self::Create, Self::Update, Self::Patch, Self::Delete];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// How requests fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 403: the role does not permit the request.
    Forbidden,
    /// 500.
    Broken,
    /// 503 with `Retry-After: 1`, as an overloaded server answers.
    Busy,
    /// 409: another client is always faster.
    Conflict,
    /// 410 as the status of the answer. Without any fault, a watch from an expired revision gets 410 as an event.
    Gone,
    /// Requests are accepted and never answered.
    Silent,
    /// Watches end at once, as at their timeout. Other requests work.
    Ends,
    /// The connections of watches break at once. Other requests work.
    Breaks,
    /// Watches, open ones included, send nothing any more, not even after the fault is switched off, and outlast their
    /// timeout. Other requests work.
    Mute,
    /// Watches send invalid JSON. Other requests work.
    Garbles,
}

/// The faults that are on, and the number of requests by verb and resource.
#[derive(Debug, Default)]
pub(super) struct Faults {
    on: Mutex<HashMap<Verb, Fault>>,
    asked: Mutex<HashMap<(Verb, &'static str), u64>>,
}

impl Faults {
    pub(super) fn set(&self, verb: Verb, fault: Fault) {
        self.on.lock().insert(verb, fault);
    }

    pub(super) fn clear(&self) {
        self.on.lock().clear();
    }

    pub(super) fn of(&self, verb: Verb) -> Option<Fault> {
        self.on.lock().get(&verb).copied()
    }

    pub(super) fn count(&self, verb: Verb, plural: &'static str) {
        *self.asked.lock().entry((verb, plural)).or_default() += 1;
    }

    /// The number of requests with this verb, for one resource or for all.
    pub(super) fn asked(&self, verb: Verb, plural: Option<&str>) -> u64 {
        let asked = self.asked.lock();
        let matching = asked.iter().filter(|((v, p), _)| *v == verb && plural.is_none_or(|plural| plural == *p));
        matching.map(|(_, count)| count).sum()
    }
}
