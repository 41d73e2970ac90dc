//! Where the sessions of a pod that shuts down went: which pods hold them now.
//!
//! A session that leaves such a pod for another one is followed by its id until the pod leaves the fleet. Only the number of
//! followed sessions on each pod is kept for readers, so that a view costs what it shows. A session that is signed in anew has
//! another id and is not followed any further.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use session_domain::SessionId;

use crate::address::Address;
use crate::bounds::MAX_FOLLOWED_SESSIONS;

/// Where the sessions are that left one pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Destinations {
    /// The number of sessions on each pod, without zeros.
    pub(crate) held: BTreeMap<Address, u64>,
    /// The sessions that no pod holds: they have ended, or their users have not come back yet.
    pub(crate) not_held: u64,
}

/// The destinations by the address of the pod that was left, as views share them.
pub(crate) type DestinationsByPod = Arc<BTreeMap<Address, Arc<Destinations>>>;

/// The followed sessions.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    /// The pods that each followed session has left.
    origins: HashMap<SessionId, Vec<Address>>,
    destinations: DestinationsByPod,
}

impl Moves {
    /// The part that views share.
    pub(crate) const fn destinations(&self) -> &DestinationsByPod {
        &self.destinations
    }

    /// Whether the session is followed: [`Self::change_holder`] has to hear of it.
    pub(crate) fn follows(&self, id: SessionId) -> bool {
        !self.origins.is_empty() && self.origins.contains_key(&id)
    }

    /// Follows a session that has left the pod at an address, and that `holder` holds now. If too many are followed, this one is not.
    pub(crate) fn follow(&mut self, id: SessionId, from: &Address, holder: Option<&Address>) {
        if !self.follows(id) && self.origins.len() >= MAX_FOLLOWED_SESSIONS {
            return;
        }
        let origins = self.origins.entry(id).or_default();
        if !origins.contains(from) {
            origins.push(from.clone());
            destinations(&mut self.destinations, from).add(holder);
        }
    }

    /// Records that another pod, or none, holds a session.
    pub(crate) fn change_holder(&mut self, id: SessionId, before: Option<&Address>, after: Option<&Address>) {
        if before == after {
            return;
        }
        for origin in self.origins.get(&id).into_iter().flatten() {
            let counts = destinations(&mut self.destinations, origin);
            counts.subtract(before);
            counts.add(after);
        }
    }

    /// Follows the sessions that have left the pod at an address no further.
    pub(crate) fn forget(&mut self, from: &Address) {
        if !self.destinations.contains_key(from) {
            return;
        }
        Arc::make_mut(&mut self.destinations).remove(from);
        self.origins.retain(|_, origins| {
            origins.retain(|origin| origin != from);
            !origins.is_empty()
        });
    }
}

fn destinations<'a>(all: &'a mut DestinationsByPod, from: &Address) -> &'a mut Destinations {
    Arc::make_mut(Arc::make_mut(all).entry(from.clone()).or_default())
}

impl Destinations {
    fn add(&mut self, holder: Option<&Address>) {
        match holder {
            Some(holder) => *self.held.entry(holder.clone()).or_default() += 1,
            None => self.not_held += 1,
        }
    }

    fn subtract(&mut self, holder: Option<&Address>) {
        let Some(holder) = holder else {
            self.not_held = self.not_held.saturating_sub(1);
            return;
        };
        if let Some(count) = self.held.get_mut(holder) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(holder);
            }
        }
    }
}
