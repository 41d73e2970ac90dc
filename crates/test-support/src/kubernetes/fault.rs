//! What can be asked, how often it was, and how it is made to fail.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// One object.
    Get,
    /// Many objects.
    List,
    /// Changes.
    Watch,
    /// A new object.
    Create,
    /// Another object in the place of one.
    Update,
    /// A change of an object.
    Patch,
    /// An object's end.
    Delete,
}

impl Verb {
    /// All of them.
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

/// How the server fails whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 403: the role does not grant it.
    Forbidden,
    /// 500.
    Broken,
    /// 503 with `Retry-After: 1`, as an overloaded server answers.
    Busy,
    /// 409: somebody else is always faster.
    Conflict,
    /// 410 as the answer's status. (A watch that begins too far back gets it as an event without any fault.)
    Gone,
    /// The request is taken and never answered.
    Silent,
    /// A watch is answered, and ends at once, as if its time were up. Everything else is as it should be.
    Ends,
    /// A watch is answered, and its connection breaks at once. Everything else is as it should be.
    Breaks,
    /// A watch is answered and says nothing from then on, open ones too; they stay mute when the fault is lifted, and
    /// outlive their timeout. Everything else is as it should be.
    Mute,
    /// A watch says what is no JSON. Everything else is as it should be.
    Garbles,
}

/// The faults that are switched on, and the count of what was asked.
#[derive(Debug, Default)]
pub(super) struct Faults {
    on: Mutex<HashMap<Verb, Fault>>,
    asked: Mutex<HashMap<(Verb, &'static str), u64>>,
}

impl Faults {
    pub(super) fn set(&self, verb: Verb, fault: Fault) {
        lock(&self.on).insert(verb, fault);
    }

    pub(super) fn clear(&self) {
        lock(&self.on).clear();
    }

    pub(super) fn of(&self, verb: Verb) -> Option<Fault> {
        lock(&self.on).get(&verb).copied()
    }

    pub(super) fn count(&self, verb: Verb, plural: &'static str) {
        *lock(&self.asked).entry((verb, plural)).or_default() += 1;
    }

    /// How often this was asked, of one resource or of all.
    pub(super) fn asked(&self, verb: Verb, plural: Option<&str>) -> u64 {
        let asked = lock(&self.asked);
        let matching = asked.iter().filter(|((v, p), _)| *v == verb && plural.is_none_or(|plural| plural == *p));
        matching.map(|(_, count)| count).sum()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
