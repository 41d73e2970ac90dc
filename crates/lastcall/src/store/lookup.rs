//! Summaries of many sessions, read together.

use std::time::Duration;

use session_domain::PodName;

use super::entry::{Contents, OwnerRequest};

/// What the owner of a session has to know of its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The pod that owns it.
    pub pod: PodName,
    /// The time since its last request at any pod, by the store's own clock: those of pods differ.
    pub idle: Duration,
    /// What another pod asks its owner to do.
    pub request: Option<OwnerRequest>,
    /// Whether its owner protects it: see [`SharedSession::protected`](super::SharedSession::protected).
    pub protected: bool,
}

/// The result of [`SessionStore::lookup_many`](super::SessionStore::lookup_many) for one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It exists.
    Found(Summary),
    /// No such entry. That proves that the session does not exist only while the contents are the known ones.
    Absent,
    /// The store cannot answer for this session now.
    Unavailable,
}

/// The result of [`SessionStore::lookup_many`](super::SessionStore::lookup_many).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// One for each id, in the order of the ids.
    pub lookups: Vec<Lookup>,
    /// Read after the entries; `None` where none of them is absent.
    pub contents: Option<Contents>,
}
